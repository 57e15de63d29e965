// How jemalloc runs in a program that links it (docs/decisions/0027); nothing where it does not. A program that defines
// malloc_conf itself has its own, and the environment variable MALLOC_CONF goes before both.
#pragma once

extern "C" {
// NOLINTNEXTLINE: jemalloc's name
extern const char* malloc_conf;
// A thread keeps what it has freed up to 256 KiB, as blocks of RocksDB are, and gives memory back to the system in the
// background.
__attribute__((weak, visibility("default"))) const char* malloc_conf = "lg_tcache_max:18,background_thread:true";
}
