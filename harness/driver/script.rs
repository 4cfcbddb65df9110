//! A script on its way through a storm: its steps are performed one after the other, and a step that
//! cannot be is told with where everybody stood.

use crate::director::{Director, LeftAt, Reached};
use crate::scenario::plan::{Action, Plan, Step, Target};
use crate::sources::{ScriptedSource, Sources};
use crate::stage::Stage;
use sim::{Mutex, Rank, Stand, State};
use std::sync::Arc;
use stormfs::Filesystem;
use stormfs::folio::Folio;
use stormfs::op::Op;
use stormfs::points::Point;
use stormfs::quantity::{ByteRange, PAGE};

/// Folios that a step wanted to go and that are told of.
const FOLIOS: usize = 8;

static MISFIRE: Rank = Rank::leaf(12, "misfire");

/// See the module.
pub struct Script {
    /// Sees to it that only one actor goes on.
    pub director: Arc<Director>,
    /// What the actors write from.
    sources: Arc<Sources>,
    steps: Vec<Step>,
    /// The actors by number: their names, and what they do.
    cast: Vec<(String, Vec<Op>)>,
    misfire: Mutex<Option<Misfire>>,
}

/// A step that could not be performed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfire {
    /// Its number, from 1.
    pub step: usize,
    /// What happened instead.
    pub message: String,
    /// Where everybody stood, one line each.
    pub stands: Vec<String>,
    /// What to do.
    pub help: String,
}

/// Why a step could not be performed: what happened instead, what else is known, what to do.
type Why = (String, Vec<String>, &'static str);

impl Script {
    /// The script of `plan`.
    pub fn new(director: Arc<Director>, sources: Arc<Sources>, plan: &Plan) -> Script {
        let actors = plan.actors.iter().flat_map(|actor| {
            let does: Vec<Op> = actor.does.iter().map(|call| call.op.clone()).collect();
            actor.names().map(move |name| (name, does.clone()))
        });
        let (steps, cast) = (plan.script.clone(), actors.collect());
        Script { director, sources, steps, cast, misfire: sim::sync::mutex(&MISFIRE, 0, None) }
    }

    /// Performs every step, each in an operation of its own, which `begin` begins. Afterwards the
    /// default rule says who goes on.
    pub fn follow(&self, stage: &Stage, mut begin: impl FnMut()) {
        let filesystem = stage.filesystem.as_ref().expect("a script is for the filesystem model");
        for (number, step) in (1..).zip(&self.steps) {
            begin();
            self.director.begin(number);
            let performed = self.perform(&step.action, filesystem);
            match performed.and_then(|next| self.unmet().map(|()| next)) {
                Ok(Next::Step) => {}
                Ok(Next::LetGo) => break,
                // Actors that were interrupted end early, and no step is to blame.
                Err(_) if stage.is_interrupted() => break,
                Err((message, mut stands, help)) => {
                    stands.extend(self.stands());
                    let misfire = Misfire { step: number, message, stands, help: help.to_owned() };
                    *self.misfire.lock() = Some(misfire);
                    sim::stop("the script cannot be followed");
                }
            }
        }
        self.director.let_go();
    }

    /// Why the script could not be followed; leaves nothing.
    pub fn take_misfire(&self) -> Option<Misfire> {
        self.misfire.lock().take()
    }

    fn perform(&self, action: &Action, filesystem: &Filesystem) -> Result<Next, Why> {
        match action {
            Action::Run { actor, until } => return self.run(*actor, until),
            Action::Fail { actor, until } => return self.fail(*actor, until),
            Action::Evict { file, range } => evict(filesystem, *file, *range)?,
            Action::HoldDisk(point) => self.director.hold_disk(Some(*point)),
            Action::HoldReads => return Err(no_reads()),
            Action::ResumeDisk => self.director.hold_disk(None),
        }
        Ok(Next::Step)
    }

    fn run(&self, actor: usize, until: &[Target]) -> Result<Next, Why> {
        let what = match self.director.release(actor, until) {
            Reached::Target => return Ok(Next::Step),
            Reached::Deadlock => return Ok(Next::LetGo),
            Reached::End => "ended",
            Reached::Wait => "waits for somebody who is held",
        };
        let happened = std::iter::once(format!("`{}` {what}", self.cast[actor].0));
        let message = happened.chain(self.missed()).collect::<Vec<_>>().join(", and ");
        let help = if what == "ended" {
            "let the step end at something that happens, or with `until done`"
        } else {
            "let the one go on first that it waits for, or end the step with `until blocked`"
        };
        Err((message, Vec::new(), help))
    }

    /// Ends the source of the write that the actor stands in, and lets it go on.
    fn fail(&self, actor: usize, until: &[Target]) -> Result<Next, Why> {
        let why =
            |what: &str, help| Err((format!("`{}` {what}", self.cast[actor].0), vec![], help));
        match self.director.place(actor) {
            Some(LeftAt::At(point)) if HAS_ITS_SOURCE.contains(&point) => {
                let what = format!("has that part of its source already at `{}`", point.name());
                return why(&what, "let it stand at `write.mapped` or `write.unlocked`");
            }
            Some(LeftAt::At(_)) => {}
            Some(LeftAt::Returned) | None => {
                return why("stands in no write", "let it stand at a point of one first");
            }
        }
        let source = self.sources.of(actor).expect("there is one for each actor");
        if let Err((what, help)) = source.fail() {
            return why(what, help);
        }
        self.run(actor, until)
    }

    /// Whether a write has ended that was to meet the end of its source, and did not.
    fn unmet(&self) -> Result<(), Why> {
        let unmet = |actor: &usize| self.sources.of(*actor).is_some_and(ScriptedSource::take_unmet);
        let Some(actor) = (0..self.cast.len()).find(unmet) else { return Ok(()) };
        let message = format!("`{}` had all of its source already", self.cast[actor].0);
        Err((message, Vec::new(), "let it stand earlier in its write"))
    }

    /// What did not come of the targets of the running step.
    fn missed(&self) -> impl Iterator<Item = String> {
        let missed = |(target, passed): (Target, u64)| match target {
            Target::Point { nth, point } => {
                Some(format!("passed `{}` {passed} of {nth} times", point.name()))
            }
            Target::Returned => Some("returned from no operation".to_owned()),
            Target::Blocked => Some("did not have to wait".to_owned()),
            Target::Done => None,
        };
        self.director.passed().into_iter().filter_map(missed)
    }

    /// Where the actors stand, and what the disk holds: one line each.
    fn stands(&self) -> Vec<String> {
        let places = self.director.places();
        let stands = sim::tasks();
        let names: Vec<String> = stands.iter().map(|stand| stand.task.clone()).collect();
        let tasks = stands.into_iter().zip(places).skip(1);
        let describe = |(number, (stand, place)): (usize, (Stand, Option<LeftAt>))| match (
            self.cast.get(number),
            place,
        ) {
            (Some((name, does)), place) => {
                let holders = stand.holders.iter().map(|task| names[*task].as_str());
                let holders: Vec<_> = holders.collect();
                Some(stood((name, does), &stand, &holders, place))
            }
            (None, Some(LeftAt::At(point))) => {
                Some(format!("the disk holds a completion at `{}`", point.name()))
            }
            (None, _) => None,
        };
        tasks.enumerate().filter_map(describe).collect()
    }
}

/// Where a write has asked for the part of its source that it copies next.
const HAS_ITS_SOURCE: [Point; 3] =
    [Point::WriteFaultedIn, Point::WriteFolioLocked, Point::WriteValidated];

/// What comes after a step.
enum Next {
    /// The next one.
    Step,
    /// None: the run has got into something that no script can lead out of.
    LetGo,
}

/// Such a step is for a real filesystem, and refused without one.
fn no_reads() -> Why {
    let message = "the device of stormfs holds completions at points, and no reads".to_owned();
    (message, Vec::new(), "name a filesystem with `target`")
}

fn evict(filesystem: &Filesystem, file: usize, range: ByteRange) -> Result<(), Why> {
    if filesystem.evict(file, range) != Ok(0) {
        return Ok(());
    }
    let mut rest = range;
    let cached = std::iter::from_fn(|| {
        let start = rest.start;
        let folio = filesystem.view(file).first_folio(rest)?;
        rest.start = folio.range().end;
        Some(kept(&folio, folio.range().start.max(start) / PAGE))
    });
    let stands: Vec<String> = cached.take(FOLIOS).collect();
    if stands.is_empty() {
        let (first, last) = (range.start / PAGE, range.end / PAGE - 1);
        let message = if first == last {
            format!("no folio holds page {first}")
        } else {
            format!("no folio holds any of the pages {first}..{last}")
        };
        return Err((message, stands, "let somebody read or write them first"));
    }
    let message = "reclaim could take none of these folios".to_owned();
    Err((message, stands, "reclaim takes what is clean and not locked: write back first"))
}

/// Why reclaim does not take the folio that holds `page`.
fn kept(folio: &Folio, page: u64) -> String {
    let states = [
        (folio.is_dirty(), "dirty"),
        (folio.is_writeback(), "in writeback"),
        (folio.is_locked(), "locked"),
    ];
    let states: Vec<_> = states.iter().filter(|state| state.0).map(|state| state.1).collect();
    format!("the folio that holds page {page} is {}", states.join(" and "))
}

/// Where an actor stands, in a sentence.
fn stood(
    (name, does): (&str, &[Op]),
    stand: &Stand,
    holders: &[&str],
    place: Option<LeftAt>,
) -> String {
    let current = usize::try_from(stand.operation).ok().and_then(|number| number.checked_sub(1));
    let operation = current.and_then(|number| does.get(number)).map(ToString::to_string);
    let operation = format!("operation {}, {}", stand.operation, operation.unwrap_or_default());
    match (stand.state, place) {
        (State::Ended, _) => format!("`{name}` has done everything"),
        _ if stand.operation == 0 => format!("`{name}` has not begun"),
        (_, Some(LeftAt::At(point))) => {
            format!("`{name}` is held at `{}` in {operation}", point.name())
        }
        (_, Some(LeftAt::Returned)) => format!("`{name}` has returned from {operation}"),
        (State::Waits(site), None) if holders.is_empty() => {
            format!("`{name}` waits for {site} in {operation}")
        }
        (State::Waits(site), None) => {
            let holders = holders.join("` and `");
            format!("`{name}` waits for {site}, held by `{holders}`, in {operation}")
        }
        (State::CanRun, None) => format!("`{name}` could go on in {operation}"),
    }
}
