//! A real filesystem as a target: calls are system calls, and the oracle is told before and after.

mod checks;
mod collisions;
mod disk;
mod failing;
mod hands;
mod holes;
mod kernels;
mod lead;
pub mod leeway;
mod perform;
mod pressed;
mod room;
pub mod script;
pub(crate) mod spot;
pub mod storm;
#[cfg(test)]
mod trial;
mod ways;
mod whereabouts;
mod wishes;

pub use whereabouts::Whereabouts;

use crate::call::Call;
use crate::incidents::Incidents;
use crate::scenario::plan::{ActorPlan, Plan};
use crate::target::{Ids, Performed, Reach, Target, patterned};
use block::FaultCounts;
use collisions::Collisions;
use failing::FaultyDisk;
use hands::Hands;
use lead::Lead;
use mounted::descriptors;
use mounted::{Abilities, Ability, File, Habit, Mapping, Refusal, Venue, Volume, look};
use nix::errno::Errno;
use nix::sys::statfs::{FsType, TMPFS_MAGIC, fstatfs};
use oracle::results::{Excuses, Readable, Rounding, results_are_justified};
use oracle::{Leeway, Leeways, Outside};
use pressed::Pressed;
use report::record::{Device, DeviceKind, Mounted};
use room::Room;
use script::Followed;
use sim::{Mutex, Rank, RwLock, sync::rw_lock};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use stormfs::op::{Op, OpId, OpKind};
use stormfs::quantity::{ByteRange, narrow, wide};
use ways::Ways;

/// See the module.
pub struct Real {
    oracle: Arc<Outside>,
    names: Vec<String>,
    /// What is looked at from outside.
    files: Vec<File>,
    /// What the conductor and the actors have of each file, by task and file.
    // Behind `files`: the last descriptor closes the file.
    hands: Vec<Hands>,
    /// In which ways their sources end early.
    ways: Ways,
    /// Whether space is short.
    room: Room,
    /// Whether files may come to share blocks.
    shares: bool,
    /// What calls past the page cache and calls through it have to do with each other.
    collisions: Collisions,
    /// One for each file, if somebody moves bytes: held alone by whoever does, and by all others who
    /// change the file together.
    shifting: Option<Vec<RwLock<()>>>,
    /// What happens to operations beside their own work, once there is a storm.
    incidents: Option<Arc<Incidents>>,
    /// What goes wrong with its disk.
    failing: FaultyDisk,
    /// Who goes on, if a script says so.
    lead: Option<Lead>,
    /// The steps of the script that were performed.
    followed: Mutex<Vec<Followed>>,
    /// Files that were not read again from the device after a sync, by reason.
    unconfirmed: Mutex<BTreeMap<String, u64>>,
    /// What makes memory short, if that was asked for.
    pressure: Option<Pressed>,
    /// Why a call was not made that was to be: what it needs of this process could not be had.
    unprepared: OnceLock<Refusal>,
    // Behind all that is open or mapped of it: it is not unmounted before that is gone.
    host: Arc<Host>,
}

/// A filesystem that storms take place on, one after the other.
pub struct Host {
    volume: Volume,
    abilities: Abilities,
    /// What POSIX leaves open, and it makes use of.
    leeways: Leeways,
    /// How it counts what it wrote of a source that ends early, if not in bytes.
    rounding: Option<Rounding>,
    /// When it asks for the source of a write, once somebody wanted to know.
    habit: OnceLock<Habit>,
}

/// All of a file, as far as positions go.
const WHOLE: ByteRange = ByteRange { start: 0, end: i64::MAX.unsigned_abs() };

static UNCONFIRMED: Rank = Rank::leaf(12, "files that were not read again");

static FOLLOWED: Rank = Rank::leaf(12, "steps that were performed");

/// `RAMFS_MAGIC`.
const RAMFS: FsType = FsType(0x8584_58f6);

/// The longest mapping that anybody has of a file, where files can outgrow what actors aim at.
const LONGEST_MAPPING: u64 = 1 << 40;

/// Outermost: a call holds it as long as it takes.
static SHIFTING: Rank = Rank::new(0, "shift lock");

impl Host {
    /// Opens the filesystem at `venue`.
    pub fn open(venue: &Venue) -> Result<Arc<Host>, Refusal> {
        let volume = Volume::open(venue)?;
        let abilities = Abilities::of(&volume)
            .map_err(|(tried, errno)| unfit(venue, failed(tried, errno), errno))?;
        let leeways = leeway::of(volume.root());
        let rounds = leeways.has(Leeway::ShortCountsAreRounded);
        let rounding = rounds.then(|| leeway::rounding(&volume)).transpose();
        let rounding = rounding.map_err(|errno| failed("a write that ends early", errno))?;
        Ok(Arc::new(Host { volume, abilities, leeways, rounding, habit: OnceLock::new() }))
    }

    /// What it is and where, for people.
    pub fn detail(&self) -> &str {
        &self.volume.detail
    }

    /// Whether there is nothing below its page cache.
    fn is_memory(&self) -> bool {
        let told = fstatfs(self.volume.root()).map(|told| told.filesystem_type());
        told.is_ok_and(|magic| magic == TMPFS_MAGIC || magic == RAMFS)
    }

    fn habit(&self) -> Result<Habit, Refusal> {
        if let Some(habit) = self.habit.get() {
            return Ok(*habit);
        }
        let found = Habit::of(&self.volume)?;
        Ok(*self.habit.get_or_init(|| found))
    }
}

/// Which key of `venue` asked for a filesystem that cannot be used, and what to do about it.
fn unfit(venue: &Venue, refusal: Refusal, errno: Errno) -> Refusal {
    match venue {
        Venue::Directory(_) => refusal.of("directory"),
        Venue::Made(spec) if errno == Errno::EROFS && !spec.mount.is_empty() => {
            let advice = if spec.mount.split(',').any(|option| option == "ro") {
                "drop `ro` of `mount`"
            } else {
                "it was mounted read-only with these options: drop the one that does it"
            };
            Refusal { advice: advice.to_owned(), ..refusal }.of("mount")
        }
        Venue::Made(_) => refusal.of("kernel"),
    }
}

fn failed(tried: &str, errno: Errno) -> Refusal {
    let known = [
        (Errno::ENFILE, "all processes together have too many files open: sysctl fs.file-max"),
        (Errno::ENOMEM, "free memory, or raise the number of mappings: sysctl vm.max_map_count"),
        (Errno::ENOSPC, "make room on it"),
        (Errno::EAGAIN, "allow more processes: `ulimit -u`, and pids.max of the cgroup"),
    ];
    let advice = known.iter().find(|(known, _)| *known == errno);
    let advice = advice.map_or("see whether it can be written to", |(_, advice)| advice);
    Refusal::errno(tried, errno, advice)
}

impl Real {
    /// Opens the filesystem at `venue` and makes the files of `plan` on it, empty.
    pub fn open(plan: &Plan, venue: &Venue) -> Result<Real, Refusal> {
        Real::on(plan, Host::open(venue)?)
    }

    /// Makes the files of `plan` on a filesystem, empty.
    pub fn on(plan: &Plan, host: Arc<Host>) -> Result<Real, Refusal> {
        descriptors::make_room(descriptors_of(plan))?;
        // Pages of the files count from the first on.
        let pressure = plan.memory.map(|bytes| Pressed::enter(bytes, &host)).transpose()?;
        let drawn = plan.actors.iter().map(|actor| actor.size.max);
        let listed = plan.actors.iter().flat_map(|actor| &actor.does);
        let listed = listed.filter_map(|call| {
            let (Op::MmapLoad(range) | Op::MmapStore(range)) = call.op else { return None };
            Some(range.len())
        });
        let longest = drawn.chain(listed).max().unwrap_or(0);
        let mappings = wide((1 + crate::storm::actors(plan)) * plan.files.len());
        // All of them together take half of the addresses.
        let mapped = narrow((wide(mounted::addresses() / 2) / mappings).min(longest_file(plan)));
        let (mut names, mut files) = (Vec::new(), Vec::new());
        let ways = Ways::of(plan)?;
        let lead = Lead::new(plan, &host, ways.failing())?;
        let mut hands =
            Hands::all(plan).map_err(|errno| failed("a process for what an actor maps", errno))?;
        let failing =
            FaultyDisk::of(plan, host.volume.gate().map(|gate| gate.failed().from_now_on()));
        failing.refuse(&host.abilities)?;
        let mapped = host.abilities.has(Ability::Mmap).then_some(mapped);
        for file in &plan.files {
            let made = host.volume.create(&file.name).and_then(|made| {
                names.push(file.name.clone());
                let made = File::open(made)?;
                for hands in &mut hands {
                    hands.take_up(&made, plan.descriptors, mapped, narrow(longest))?;
                }
                Ok(made)
            });
            files.push(made.map_err(|errno| {
                checks::forget(&host, &names);
                failed(&file.name, errno)
            })?);
        }
        let room = Room::of(plan, host.volume.root());
        let does = |wanted: &[OpKind]| {
            let mut kinds = plan.actors.iter().flat_map(ActorPlan::kinds);
            kinds.any(|kind| wanted.contains(&kind))
        };
        let shifting = does(&[OpKind::Collapse, OpKind::Insert])
            .then(|| (0..wide(files.len())).map(|file| rw_lock(&SHIFTING, file, ())).collect());
        let oracle = Outside::new(plan.files.len(), host.leeways);
        let oracle = match failing.fails_writes().cloned() {
            Some(failed) => oracle.with_failures(move || failed.writes()),
            None => oracle,
        };
        Ok(Real {
            host,
            oracle: Arc::new(oracle),
            names,
            files,
            hands,
            ways,
            room,
            shares: plan.target.may_share_blocks() && does(&[OpKind::Reflink, OpKind::CopyRange]),
            collisions: Collisions {
                writes: does(&[OpKind::DirectWrite]),
                stores: does(&[OpKind::MmapStore]),
            },
            shifting,
            incidents: None,
            failing,
            lead,
            followed: sim::sync::mutex(&FOLLOWED, 0, Vec::new()),
            unconfirmed: sim::sync::mutex(&UNCONFIRMED, 0, BTreeMap::new()),
            pressure,
            unprepared: OnceLock::new(),
        })
    }

    /// How often its disk could have been slow or have failed, and how often it was or has.
    pub fn struck(&self) -> FaultCounts {
        let told = self.host.volume.gate().and_then(|gate| gate.told().ok());
        told.unwrap_or_default().struck
    }

    /// What it is and where, for people.
    pub fn detail(&self) -> &str {
        self.host.detail()
    }

    /// What a record says of it.
    pub fn told(&self) -> Device {
        Device {
            kind: DeviceKind::Mounted,
            size: self.host.volume.size(),
            detail: self.detail().to_owned(),
            mounted: Some(self.mounted()),
        }
    }

    fn mounted(&self) -> Mounted {
        let (spec, abilities) = (self.host.volume.spec(), &self.host.abilities);
        let lent = self.host.volume.lent_options();
        let answer = |(ability, errno): (&Ability, &Errno)| {
            (ability.name().to_owned(), format!("{errno:?}"))
        };
        Mounted {
            filesystem: self.host.volume.filesystem(),
            mkfs: spec.map_or_else(Vec::new, |spec| spec.mkfs.clone()),
            mount: spec.map(|spec| spec.mount.clone()).or(lent).unwrap_or_default(),
            image: self
                .host
                .volume
                .image()
                .map_or_else(String::new, |dir| dir.display().to_string()),
            block_size: abilities.block_size,
            direct_unit: abilities.direct_unit,
            lacks: abilities.missing.iter().map(answer).collect(),
            memory: self.pressure.as_ref().map(Pressed::bytes),
        }
    }

    /// What the filesystem can do.
    pub fn abilities(&self) -> &Abilities {
        &self.host.abilities
    }

    /// Any descriptor of a file.
    fn file(&self, file: usize) -> &File {
        &self.files[file]
    }

    /// Every mapping of a file; none where the filesystem has none.
    fn mappings(&self, file: usize) -> impl Iterator<Item = &Mapping> {
        self.hands.iter().filter_map(move |hands| hands.mapping(file).ok())
    }
}

impl Target for Real {
    fn prepare(&self, id: OpId, call: &Call, memory: &mut Vec<u8>) {
        patterned(id, &call.op, memory);
    }

    fn perform(&self, id: OpId, _mapper: usize, call: &Call, memory: &mut [u8]) -> Performed {
        self.call(id, call, memory)
    }

    fn size(&self, file: usize) -> u64 {
        self.file(file).size().unwrap_or(0)
    }

    fn extent(&self, file: usize, pos: u64) -> ByteRange {
        let file = self.file(file);
        let data = look::next_data(file, pos).ok().flatten();
        let hole = look::next_hole(file, pos).ok().flatten();
        match (data, hole) {
            (Some(data), Some(hole)) => ByteRange::new(pos, data.max(hole)),
            _ => ByteRange::at(pos, 0),
        }
    }

    fn unit(&self, kind: OpKind) -> u64 {
        if matches!(kind, OpKind::Reflink | OpKind::Collapse | OpKind::Insert) {
            self.host.abilities.block_size
        } else if matches!(kind, OpKind::DirectRead | OpKind::DirectWrite) {
            self.host.abilities.direct_unit
        } else {
            1
        }
    }

    fn lacks(&self, kind: OpKind) -> Option<String> {
        let needed = match kind {
            OpKind::MmapLoad
            | OpKind::MmapStore
            | OpKind::WriteFromMmap
            | OpKind::Msync
            | OpKind::PageOut => Ability::Mmap,
            OpKind::Fallocate => Ability::Fallocate,
            OpKind::Punch => Ability::Punch,
            OpKind::ZeroRange => Ability::ZeroRange,
            OpKind::Collapse => Ability::Collapse,
            OpKind::Insert => Ability::Insert,
            OpKind::Reflink => Ability::Reflink,
            OpKind::CopyRange => Ability::CopyRange,
            OpKind::DirectRead | OpKind::DirectWrite => Ability::Direct,
            OpKind::Read
            | OpKind::Write
            | OpKind::Append
            | OpKind::Truncate
            | OpKind::Fsync
            | OpKind::Sync
            | OpKind::Writeback
            | OpKind::Evict
            | OpKind::Release
            | OpKind::Fdatasync
            | OpKind::SyncRange
            | OpKind::DontNeed => return None,
        };
        let answer = self.host.abilities.missing.get(&needed)?;
        Some(format!("{answer:?}"))
    }

    fn reach(&self, file: usize) -> Reach {
        Reach { size: self.size(file), instant: self.room.before(self.host.volume.root()) }
    }

    fn judge(&self, call: &Call, performed: Performed, before: Reach) {
        let Performed { asked, outcome, .. } = performed;
        // Whoever did all that it was asked needs no excuse, and nobody has to look for one.
        let fell_short = outcome != Ok(asked);
        let was_short = || self.room.was_short(self.host.volume.root(), before.instant);
        let excuses = Excuses {
            bad_source: performed.short_source.fired && performed.short_source.persistent,
            abandoned_fault: false,
            device_failed: fell_short && self.failing.excuses(call.op.kind()),
            collided: self.collisions.excuses(call.op.kind()),
            space_was_short: fell_short && was_short(),
            memory_was_short: performed.lacked_memory,
            unfit: performed.unfit,
            beyond_eof: fell_short && performed.beyond,
        };
        let checks = self.oracle.checks();
        let verdict = results_are_justified(checks, &call.op, asked, outcome, excuses);
        self.oracle.judge(call.file, None, verdict);
        let gap = call.gap.filter(|gap| gap.persistent).map(|gap| gap.at).or(performed.ended);
        let cut = fell_short && self.failing.cuts(outcome);
        let counts = !excuses.space_was_short && !excuses.memory_was_short && !cut;
        if let Some(bytes) = gap.filter(|_| counts) {
            let pos = if let Op::Write(range) = call.op { Some(range.start) } else { None };
            let source = Readable { bytes, pos };
            self.oracle.counted(call.file, (source, outcome), self.host.rounding);
        }
    }

    fn begin(&self) {
        if let Some(incidents) = &self.incidents {
            incidents.begin();
        }
        self.begin_to_fail();
        self.press();
    }

    fn look_up(&self) {
        self.press_on();
    }

    fn halt(&self) {
        // Nobody gives memory back who stands still, and others may wait for some.
        self.relieve();
    }

    fn judge_still(&self, _ids: Ids<'_>) {
        self.while_nothing_fails(|| self.look_at_everything());
        self.press();
    }

    fn finish(&self, _ids: Ids<'_>) {
        self.end_failing();
        self.relieve();
        self.look_at_the_end();
    }
}

/// A bound on what the files of `plan` may hold, and no more of it than anybody maps. To take pages out of
/// page tables costs time for what is mapped, whether anything is there or not.
fn longest_file(plan: &Plan) -> u64 {
    let outgrows = |actor: &ActorPlan| {
        let grows = |kind| matches!(kind, OpKind::Append | OpKind::Insert);
        !actor.draws() || actor.kinds().any(grows)
    };
    if plan.actors.iter().any(outgrows) {
        return LONGEST_MAPPING;
    }
    // A write that takes its bytes from a mapping may be as long as the file.
    let aims = plan.actors.iter().map(|actor| plan.reach(actor).saturating_add(actor.size.max));
    let sizes = plan.files.iter().map(|file| file.size);
    aims.chain(sizes).fold(1 << 21, u64::max).saturating_mul(2).min(LONGEST_MAPPING)
}

/// How many descriptors the files of `plan` take: three at a time, what a mapping needs, and memory of
/// each task.
fn descriptors_of(plan: &Plan) -> u64 {
    let (tasks, files) = (wide(1 + crate::storm::actors(plan)), wide(plan.files.len()));
    let each = u64::from(plan.descriptors).saturating_mul(3).saturating_add(1);
    files.saturating_mul(3 + tasks.saturating_mul(each)).saturating_add(tasks.saturating_mul(3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Known, parse};
    use mounted::{Kind, Spec};

    #[test]
    fn every_task_has_its_own_descriptors_of_every_file_and_gets_them() {
        let text = "world: threads\nops: 9\ntarget: {directory: /, descriptors: 3}\n\
                    files: [{name: a, size: 1MiB}, {name: b, size: 1MiB}]\n\
                    actors: [{name: w, count: 32, ops: {write: 1}}]\n";
        let Ok(plan) = parse("a", text, &Known::default(), &[]) else { panic!("{text}") };
        assert_eq!(descriptors_of(&plan), 2 * 3 + 33 * (2 * (3 * 3 + 1) + 3));
        let dir = tempfile::tempdir().unwrap();
        let real = Real::open(&plan, &Venue::Directory(dir.path().to_owned()));
        let real = real.unwrap_or_else(|refusal| panic!("{refusal}"));
        let open = std::fs::read_dir("/proc/self/fd").unwrap().count();
        assert!(33 * 2 * 3 * 3 < open && real.hands.len() == 33, "{open}");
    }

    #[test]
    fn a_file_that_cannot_be_made_leaves_no_others_behind() {
        let Ok(host) = Host::open(&Venue::Made(Spec::plain(Kind::Tmpfs))) else {
            eprintln!("skipped: files that cannot be made: needs a filesystem of its own");
            return;
        };
        let mut plan = trial::plan();
        plan.files[1].name = "../b".to_owned();
        assert!(Real::on(&plan, Arc::clone(&host)).is_err());
        assert_eq!(host.volume.reopen("a").unwrap_err(), Errno::ENOENT);
    }

    #[test]
    fn nobody_maps_more_than_a_file_can_hold() {
        for (ops, longest) in [
            ("write: 1, mmap_load: 1, copy_file_range: 1", 2 << 21),
            ("write: 1, append: 1", LONGEST_MAPPING),
            ("write: 1, insert_range: 1", LONGEST_MAPPING),
        ] {
            let text = format!(
                "world: threads\nops: 9\ntarget: {{directory: /}}\nfiles: [{{name: a, size: 1MiB}}]\n\
                 actors: [{{name: w, within: 1MiB, size: {{max: 64KiB}}, ops: {{{ops}}}}}]\n"
            );
            let Ok(plan) = parse("a", &text, &Known::default(), &[]) else { panic!("{text}") };
            assert_eq!(longest_file(&plan), longest, "{ops}");
        }
    }
}
