// How jemalloc runs in a program that links it (docs/decisions/0027); nothing where it does not. For one source file of
// the program. The environment variable MALLOC_CONF goes before it.
#pragma once

extern "C" {
// NOLINTNEXTLINE: jemalloc's name
extern const char* malloc_conf;
// A thread keeps what it has freed up to 256 KiB, as blocks of RocksDB are, and gives memory back to the system in the
// background.
const char* malloc_conf = "tcache_max:262144,background_thread:true";
}
