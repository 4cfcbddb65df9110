#!/bin/bash
# Submits a night to SLURM: `ci/slurm/night.sh SHARDS DIR`, from the top of a checkout that all nodes
# see, with the tool built. How long each shard takes is SOAK_DURATION, 8h without it; further options
# of `pagestorm soak` are SOAK_OPTIONS. Prints the number of the merging job.

set -euo pipefail

readonly SHARDS=${1:?how many shards} DIR=${2:?the directory of the night}
here=$(dirname "$0")
mkdir -p "$DIR"
export NIGHT_DIR=$DIR
# One date for all shards, also of a task that starts after midnight.
export NIGHT_DATE=${NIGHT_DATE:-$(date -u +%F)}

# A shard that was lost can be repeated, by `sbatch --array=NUMBER` under the same variables.
export PAGESTORM_SHARDS=$SHARDS

array=$(sbatch --parsable --array="0-$((SHARDS - 1))" --output="$DIR/shard-%a.log" "$here/shard.sh")
sbatch --parsable --dependency="afterany:$array" --output="$DIR/merge.log" "$here/merge.sh"
