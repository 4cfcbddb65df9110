#!/bin/bash
# Merges the shards of a night, once all tasks of the array have ended, however they did.
#
#SBATCH --job-name=pagestorm-merge

set -euo pipefail
: "${NIGHT_DIR:?}"

"${PAGESTORM:-target/release/pagestorm}" merge "$NIGHT_DIR"/part-* -o "$NIGHT_DIR/night"
