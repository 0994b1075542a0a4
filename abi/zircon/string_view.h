// A string with its length, returned by value.
#ifndef ZIRCON_STRING_VIEW_H_
#define ZIRCON_STRING_VIEW_H_

#include <stddef.h>
#include <zircon/compiler.h>

__BEGIN_CDECLS

typedef struct zx_string_view {
    const char *c_str; // NUL-terminated UTF-8
    size_t length;     // bytes, without the NUL
} zx_string_view_t;

__END_CDECLS

#endif // ZIRCON_STRING_VIEW_H_
