#!/bin/sh
# isa_symbols.sh LIBRARY [NM]: the files compiled for AVX2 and AVX-512 may define no shared (weak)
# symbol but their own instances. The linker keeps one copy of such a symbol for the whole program,
# and an older processor would run it.
nm=${2:-nm}
foreign=$("$nm" -A -C "$1" | grep -E '_avx(2|512)\.cpp' | grep -E ' [WVu] ' | grep -v -i -E 'avx(2|512)')
[ -z "$foreign" ] && exit 0
echo "$foreign"
exit 1
