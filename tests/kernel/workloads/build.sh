# Builds a small C project with make and tcc, twice: file times decide what is compiled.
#   build.sh [MODULES]
modules=${1:-24}
die() { echo "build.sh: $*"; exit 1; }

mkdir -p src include
for group in 0 1 2 3; do
  echo "#define GROUP_$group $((group + 1))" >"include/group_$group.h"
done
number=0
while [ "$number" -lt "$modules" ]; do
  group=$((number % 4))
  cat >"src/module_$number.c" <<CODE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../include/group_$group.h"
long module_$number(long x) {
  char text[32];
  snprintf(text, sizeof text, "%ld", x + $number * GROUP_$group);
  return strlen(text) ? atol(text) : -1;
}
CODE
  number=$((number + 1))
done
{
  echo '#include <stdio.h>'
  for i in $(seq 0 $((modules - 1))); do echo "long module_$i(long);"; done
  echo 'int main(void) { long x = 0;'
  for i in $(seq 0 $((modules - 1))); do echo "  x = module_$i(x);"; done
  echo '  printf("%ld\n", x); return 0; }'
} >src/main.c
cat >Makefile <<'CODE'
sources := $(wildcard src/*.c)
objects := $(sources:src/%.c=out/%.o)
program: $(objects)
	@tcc -o $@ $^
out/%.o: src/%.c | out
	@echo compile $<
	@tcc -MD -MF $(@:.o=.d) -c -o $@ $<
out:
	mkdir $@
-include $(objects:.o=.d)
CODE

# expect COMPILED SUM: what make compiles, and what the program then prints.
expect() {
  make -j2 >log 2>&1 || { cat log; die "make failed"; }
  compiled=$(grep -c '^compile' log || true)
  [ "$compiled" = "$1" ] || { cat log; die "$compiled files were compiled instead of $1"; }
  printed=$(./program)
  [ "$printed" = "$2" ] || die "the program prints $printed instead of $2"
}

sum=0 changed=0
for i in $(seq 0 $((modules - 1))); do
  sum=$((sum + i * (i % 4 + 1)))
  [ $((i % 4)) != 2 ] || changed=$((changed + i))
done
expect $((modules + 1)) "$sum"
expect 0 "$sum"
echo '#define GROUP_2 10' >include/group_2.h
expect "$(((modules + 1) / 4))" $((sum + changed * 7))
rm -r out program
expect $((modules + 1)) $((sum + changed * 7))
echo "built $modules modules: $sum, then $((sum + changed * 7))"
