
# sdk.sh SOURCE BUILD LOADER - the installed SDK, used from outside the tree in the three documented
# ways: CMake, make, one cc line.  Each result must load.  Exit 77: a tool is missing.
set -eu
source=$1
build=$2
loader=$3
for tool in cmake make pkg-config; do
    command -v $tool >/dev/null || { echo "no $tool here"; exit 77; }
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
prefix=$dir/prefix
cmake --install "$build" --prefix "$prefix" --component sdk >"$dir/log"

pc=$(find "$prefix" -name drhost.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
template=$(dirname "$(find "$prefix" -name my_stage.c)")

# CMake.
cp -r "$template" "$dir/with-cmake"
cmake -S "$dir/with-cmake" -B "$dir/with-cmake/build" -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_C_COMPILER="$CC" >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
cmake --build "$dir/with-cmake/build" >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
"$loader" "$dir/with-cmake/build/my_stage.so"

# make.
cp -r "$template" "$dir/with-make"
make -C "$dir/with-make" CC="$CC" >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
"$loader" "$dir/with-make/my_stage.so"
make -C "$dir/with-make" install PLUGIN_DIR="$dir/plugins" >"$dir/log"
[ -f "$dir/plugins/my_stage.so" ]

# One line, as the guide has it, in a folder with nothing but the source.
mkdir "$dir/one-line"
cp "$source/examples/hello_filter/hello_filter.c" "$dir/one-line/mine.c"
[ "$(wc -l <"$dir/one-line/mine.c")" -le 40 ]
cd "$dir/one-line"
# shellcheck disable=SC2046
$CC $(pkg-config --cflags drhost) -fPIC -shared -o mine.so mine.c
"$loader" ./mine.so
# shellcheck disable=SC2046
$CC $(pkg-config --cflags drhost) -fPIC -o mine2.so mine.c $(pkg-config --libs drhost)
"$loader" ./mine2.so
sh "$source/tests/abi/exports.sh" "$dir/with-make" "$dir/with-cmake/build" || exit 1

# The installed host finds the installed plugins, and runs ours by path and inside a recipe.
cmake --install "$build" --prefix "$prefix" >"$dir/log"
drhost=$prefix/bin/drhost
"$drhost" plugin list --json >list.json
grep -q "$prefix/.*/drhost/plugins/chat.so" list.json
"$drhost" plugin show ./mine.so | grep -q 'preprocessor hello_filter 1.0.0'
printf '%s\n' '{"conversations":[{"from":"human","value":"hi"}]}' \
    '{"conversations":[{"from":"human","value":"a question that is long enough to stay"}]}' >in.jsonl
cat >recipe.json <<'EOF'
{ "recipe": 1, "version": "v1", "data": "data",
  "sources": [ { "use": "local", "path": "in.jsonl", "domain": "D", "dataset": "d" } ],
  "preprocess": [ { "use": "./mine.so" } ],
  "convert": [ { "use": "pretrain" } ] }
EOF
"$drhost" run recipe.json 2>"$dir/log" || { cat "$dir/log" >&2; exit 1; }
[ "$(wc -l <data/processed/v1/D.jsonl)" -eq 1 ]
grep -q 'long enough' data/processed/v1/D.jsonl
