#!/bin/bash
# One shard of a night, as a task of an array: `sbatch --array=0-7 ci/slurm/shard.sh` from the top of
# the checkout, and then `ci/slurm/merge.sh` after it. See night.sh, which submits both. PAGESTORM_SHARDS
# says how many shards there are, so that an array of some of them repeats these; without it the array
# has all of them.
#
#SBATCH --job-name=pagestorm
#SBATCH --requeue
#SBATCH --signal=B:TERM@60

set -euo pipefail
: "${NIGHT_DIR:?}" "${NIGHT_DATE:?}"

out=$NIGHT_DIR/part-$SLURM_ARRAY_TASK_ID
resume=()
# A task whose node went away is queued again, and goes on with what is on disk.
[ -e "$out/night.json" ] && resume=(--resume)

# In the background, so that the signal that SLURM sends to this script reaches the soak.
# shellcheck disable=SC2086 # They are several options.
"${PAGESTORM:-target/release/pagestorm}" soak --date "$NIGHT_DATE" --shard auto --out "$out" \
    "${resume[@]}" ${SOAK_OPTIONS:-} &
trap 'kill -TERM $!' TERM
wait $! || exit=$?
# Interrupted by the signal, the first wait ends before the soak does.
wait $! 2>/dev/null || exit=$?
exit "${exit:-0}"
