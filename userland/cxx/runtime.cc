// What the compiler leaves to C++'s run-time library, for programs without exceptions and without
// the type information that goes with them (Itanium C++ ABI).
#include <cstdlib>
#include <initializer_list>
#include <malloc.h>
#include <memory>
#include <new>
#include <pthread.h>
#include <stdio.h>

namespace
{

[[noreturn]] void Die(const char *why)
{
    fprintf(stderr, "C++: %s\n", why);
    abort();
}

void *Allocate(size_t size)
{
    void *memory = malloc(size != 0 ? size : 1);

    return memory != nullptr ? memory : (Die("out of memory"), nullptr);
}

void *AllocateAligned(size_t size, std::align_val_t alignment)
{
    void *memory = memalign(static_cast<size_t>(alignment), size != 0 ? size : 1);

    return memory != nullptr ? memory : (Die("out of memory"), nullptr);
}

pthread_mutex_t guard_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t guard_changed = PTHREAD_COND_INITIALIZER;

void GuardEnd(unsigned char *guard, unsigned char made)
{
    pthread_mutex_lock(&guard_lock);
    __atomic_store_n(&guard[0], made, __ATOMIC_RELEASE);
    guard[1] = 0;
    pthread_cond_broadcast(&guard_changed);
    pthread_mutex_unlock(&guard_lock);
}

} // namespace

// ---- Static variables of functions
// ------------------------------------------------------------------------------------------

// Byte 0 of a guard is the compiler's: not 0 once the variable is made. Byte 1 is set while
// somebody makes it.
extern "C" int __cxa_guard_acquire(unsigned char *guard)
{
    pthread_mutex_lock(&guard_lock);
    while (guard[0] == 0 && guard[1] != 0)
        pthread_cond_wait(&guard_changed, &guard_lock);
    bool mine = guard[0] == 0;
    guard[1] = mine;
    pthread_mutex_unlock(&guard_lock);
    return mine;
}

extern "C" void __cxa_guard_release(unsigned char *guard)
{
    GuardEnd(guard, 1);
}

extern "C" void __cxa_guard_abort(unsigned char *guard)
{
    GuardEnd(guard, 0);
}

extern "C" void __cxa_pure_virtual()
{
    Die("pure virtual function called");
}

extern "C" void __cxa_deleted_virtual()
{
    Die("deleted virtual function called");
}

// ---- Memory
// -----------------------------------------------------------------------------------------------------------------

void *operator new(size_t size)
{
    return Allocate(size);
}
void *operator new[](size_t size)
{
    return Allocate(size);
}
void *operator new(size_t size, const std::nothrow_t &) noexcept
{
    return malloc(size != 0 ? size : 1);
}
void *operator new[](size_t size, const std::nothrow_t &) noexcept
{
    return malloc(size != 0 ? size : 1);
}
void *operator new(size_t size, std::align_val_t alignment)
{
    return AllocateAligned(size, alignment);
}
void *operator new[](size_t size, std::align_val_t alignment)
{
    return AllocateAligned(size, alignment);
}
void operator delete(void *memory) noexcept
{
    free(memory);
}
void operator delete[](void *memory) noexcept
{
    free(memory);
}
void operator delete(void *memory, size_t) noexcept
{
    free(memory);
}
void operator delete[](void *memory, size_t) noexcept
{
    free(memory);
}
void operator delete(void *memory, std::align_val_t) noexcept
{
    free(memory);
}
void operator delete[](void *memory, std::align_val_t) noexcept
{
    free(memory);
}
void operator delete(void *memory, size_t, std::align_val_t) noexcept
{
    free(memory);
}
void operator delete[](void *memory, size_t, std::align_val_t) noexcept
{
    free(memory);
}

// ---- What the templates of libstdc++ call where they would throw
// -------------------------------------------------------------------

namespace std
{

const nothrow_t nothrow{};

// make_shared asks for itself by type information where there is none.
bool _Sp_make_shared_tag::_S_eq(const type_info &) noexcept
{
    return false;
}

void __throw_bad_alloc()
{
    Die("out of memory");
}
void __throw_bad_array_new_length()
{
    Die("bad length of an array");
}
void __throw_bad_function_call()
{
    Die("empty function called");
}
void __throw_length_error(const char *why)
{
    Die(why);
}
void __throw_logic_error(const char *why)
{
    Die(why);
}
void __throw_invalid_argument(const char *why)
{
    Die(why);
}
void __throw_out_of_range(const char *why)
{
    Die(why);
}
void __throw_out_of_range_fmt(const char *why, ...)
{
    Die(why);
}

} // namespace std
