// Thread-local storage: the template in the program's image, and blocks made from it.
#ifndef USERLAND_CRT_TLS_H_
#define USERLAND_CRT_TLS_H_

#include <stddef.h>

// Finds the template through the program headers of the running image. Call once, before any
// block is made. ehdr is the image's ELF header in memory.
void tls_find_template(const void *ehdr);

// Bytes to set aside for one block, alignment included.
size_t tls_block_bytes(void);

// Makes a block inside memory of tls_block_bytes() bytes at any alignment and returns the thread
// pointer that goes with it. The memory stays the caller's and must outlive the thread.
void *tls_block_init(void *memory);

#endif // USERLAND_CRT_TLS_H_
