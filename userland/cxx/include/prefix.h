// Comes before every C++ file. The headers of libstdc++ are those of the host's g++ (they are
// templates, with nothing to link), configured for its C library; this takes back what picolibc
// does not have.
#ifndef BERYL_CXX_PREFIX_H_
#define BERYL_CXX_PREFIX_H_

#include <bits/c++config.h>
#include <initializer_list>

#undef _GLIBCXX_HAS_GTHREADS
#undef _GLIBCXX_HAVE_LINUX_FUTEX
#undef _GLIBCXX_USE_C99_STDIO
#undef _GLIBCXX_USE_WCHAR_T
#undef _GLIBCXX_USE_FLOAT128
#undef _GLIBCXX_USE_INT128
#undef _GLIBCXX_VERBOSE
// Nothing of libstdc++ is linked: its templates are made where they are used.
#undef _GLIBCXX_EXTERN_TEMPLATE
#define _GLIBCXX_EXTERN_TEMPLATE 0

#endif // BERYL_CXX_PREFIX_H_
