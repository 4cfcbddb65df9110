#!/bin/bash
# The recipe for SLURM, for real: a controller and two nodes on this machine, eight shards, and one
# node killed on the way. Nothing may be lost and nothing counted twice: the merged night equals that
# of one process over the same seeds, with the failures that some of the scenarios are there for. Wants
# root, and the packages slurm-wlm, munge and jq; takes some minutes, most of them until SLURM believes
# that the node is gone.
#
# All of it lives in a directory of its own, and ends with this script.

# shellcheck disable=SC2016 # What stands in single quotes is expanded by jq.

set -euo pipefail
cd "$(dirname "$0")/../.."

readonly SHARDS=8 SEEDS=${SEEDS:-400} DATE=2026-01-31
dir=$(mktemp -d)
readonly dir
host=$(hostname -s)
readonly host
export SLURM_CONF=$dir/slurm.conf
# Another binary than that of this tree, if one is named.
if [ -z "${PAGESTORM:-}" ]; then
    cargo build --release --locked --quiet --package driver
    PAGESTORM=$(realpath "${CARGO_TARGET_DIR:-target}/release/pagestorm")
fi
export PAGESTORM
# Bugs that nobody expects are failures.
readonly FAILING="stale-iomap-write punch-without-invalidate-lock size-published-at-mapping"
readonly SCENARIOS=${SCENARIOS:-"scenarios/everything.yaml scenarios/eof-edges.yaml scenarios/shared-writers.yaml"}
export SOAK_OPTIONS="--seeds $SEEDS --world simulated --jobs 1 $SCENARIOS $dir/failing"

ended() {
    local status=$?
    # Whatever was started here has it from here where SLURM is configured.
    local environ
    for environ in /proc/[0-9]*/environ; do
        if grep -qz "^SLURM_CONF=$SLURM_CONF\$" "$environ" 2>/dev/null; then
            kill -9 "${environ//[!0-9]/}" 2>/dev/null || true
        fi
    done
    if [ "$status" = 0 ]; then
        rm -rf "$dir"
    else
        printf 'what there was is in %s\n' "$dir" >&2
    fi
    exit "$status"
}
trap ended EXIT

configured() {
    mkdir -p "$dir"/{state,log,run} "$dir"/spool/n{1,2}
    dd if=/dev/urandom of="$dir/run/munge.key" bs=1024 count=1 status=none
    chmod 400 "$dir/run/munge.key"
    cat > "$SLURM_CONF" <<CONF
ClusterName=pagestorm
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=17000
AuthType=auth/munge
AuthInfo=socket=$dir/run/munge.sock
CryptoType=crypto/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmdPidFile=$dir/run/slurmd-%n.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
SlurmdTimeout=20
SchedulerParameters=bf_interval=5
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=17001 CPUs=2 State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=17002 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
CONF
}

started() {
    munged --force --key-file="$dir/run/munge.key" --socket="$dir/run/munge.sock" \
        --pid-file="$dir/run/munged.pid" --log-file="$dir/log/munged.log" \
        --seed-file="$dir/run/munged.seed"
    slurmctld -f "$SLURM_CONF" -c
    slurmd -f "$SLURM_CONF" -N n1 -c
    slurmd -f "$SLURM_CONF" -N n2 -c
    for _ in $(seq 60); do
        [ "$(sinfo --noheader --states idle --format %D 2>/dev/null)" = 2 ] && return
        sleep 1
    done
    sinfo >&2
    return 1
}

# Kills whatever runs on a node, and those who look after it there.
processes_killed() {
    local environ pid parent
    for environ in /proc/[0-9]*/environ; do
        pid=${environ//[!0-9]/}
        grep -qz "^SLURMD_NODENAME=$1\$" "$environ" 2>/dev/null || continue
        grep -qz "^SLURM_CONF=$SLURM_CONF\$" "$environ" 2>/dev/null || continue
        parent=$(ps -o ppid= -p "$pid" | tr -d ' ')
        if [ "$(ps -o comm= -p "$parent")" = slurmstepd ]; then
            kill -9 "$parent" || true
        fi
        kill -9 "$pid" || true
    done
}

# Waits until a shard runs on n2 and has written something, and takes the node away.
node_killed() {
    local part
    for _ in $(seq 300); do
        for part in $(squeue --noheader --array --nodelist n2 --states R --format %K); do
            [ -e "$dir/night/part-$part/night.json" ] || continue
            kill -9 "$(<"$dir/run/slurmd-n2.pid")"
            processes_killed n2
            printf 'node n2 was killed while shard %s was on it\n' "$part"
            return
        done
        sleep 0.2
    done
    printf 'no shard was ever seen on n2\n' >&2
    return 1
}

# What must be equal: everything but who did it, when and where.
told() {
    jq 'del(.shards, .parts, .tool) | .scenarios |= map(del(.latency.kinds[]?.histogram))' "$1"
}

# Whether a question about the merged night has the answer `true`.
holds() {
    local what=$1
    shift
    if [ "$(jq "$@" "$merged/night.json")" != true ]; then
        printf 'ci/slurm/test.sh: not so: %s\n' "$what" >&2
        return 1
    fi
    printf 'ok  %s\n' "$what"
}

configured
started
mkdir "$dir/failing"
for bug in $FAILING; do
    sed '/^expect:/d' "scenarios/bugs/$bug.yaml" > "$dir/failing/$bug.yaml"
done

# shellcheck disable=SC2086 # They are several options, and several files.
"$PAGESTORM" soak --date "$DATE" --out "$dir/alone" --quiet $SOAK_OPTIONS || test $? = 1

mkdir -p "$dir/night"
readonly merged=$dir/night/night
merge=$(NIGHT_DATE=$DATE ci/slurm/night.sh "$SHARDS" "$dir/night")
node_killed
until [ -z "$(squeue --noheader --jobs "$merge" 2>/dev/null)" ]; do sleep 2; done

cat "$dir/night/merge.log"
holds "$SHARDS shards of $SHARDS ended" --argjson of "$SHARDS" \
    '([.shards[] | select(.ended == "complete").shard.index] | sort) == [range(1; $of + 1)]'
holds "some of them were started more than once" 'any(.shards[]; 1 < .starts)'
holds "every shard has each scenario once" --argjson of "$SHARDS" \
    '.parts | group_by(.file) | all((map(.shard.index) | sort) == [range(1; $of + 1)])'
holds "each of $SEEDS seeds ran once" --argjson seeds "$SEEDS" \
    '.parts | group_by(.file) | all((map(.done) | add) == $seeds)'
holds "every scenario that should fail does" --arg failing "$FAILING" \
    '[.signatures[].scenarios[] | sub(" .*"; "")] | unique == ($failing | split(" ") | sort)'
jq --raw-output '.signatures[] |
    "    \(.count) seeds, first iteration \(.first.iteration), seed \(.first.seed): \(.signature)"' \
    "$merged/night.json"
# In files: what went wrong in jq would be lost in a substitution, and two empty ones do not differ.
told "$dir/alone/night.json" >"$dir/alone.told"
told "$merged/night.json" >"$dir/merged.told"
diff "$dir/alone.told" "$dir/merged.told"
diff -r "$dir/alone/failures" "$merged/failures"
printf 'ok  the merged night is that of one process, with its failures and their cases\n'
