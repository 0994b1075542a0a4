/* Streams: positions in VMOs. */
#include <string.h>

#include "tests/conformance/util.h"

#define RW_MODE (ZX_STREAM_MODE_READ | ZX_STREAM_MODE_WRITE)

static zx_handle_t stream_over(zx_handle_t vmo, uint32_t options, uint64_t seek)
{
    zx_handle_t stream;

    ASSERT_OK(zx_stream_create(options, vmo, seek, &stream));
    return stream;
}

/* A stream over a new VMO of one page with |text| as its contents. */
static zx_handle_t stream_of(const char *text, zx_handle_t *vmo)
{
    *vmo = vmo_new_resizable(PAGE);
    ASSERT_OK(zx_vmo_write(*vmo, text, 0, strlen(text)));
    ASSERT_OK(zx_vmo_set_stream_size(*vmo, strlen(text)));
    return stream_over(*vmo, RW_MODE, 0);
}

static void expect_read(zx_handle_t stream, size_t len, const char *want)
{
    char in[64] = {0};
    zx_iovec_t vector = {in, len};
    size_t actual = 99;

    EXPECT_OK(zx_stream_readv(stream, 0, &vector, 1, &actual));
    EXPECT_EQ(actual, strlen(want));
    EXPECT(memcmp(in, want, strlen(want)) == 0);
}

static zx_status_t write_text(zx_handle_t stream, uint32_t options, const char *text,
                              size_t *actual)
{
    zx_iovec_t vector = {(void *)(uintptr_t)text, strlen(text)};

    return zx_stream_writev(stream, options, &vector, 1, actual);
}

static uint64_t stream_size(zx_handle_t vmo)
{
    uint64_t size = 0;

    EXPECT_OK(zx_vmo_get_stream_size(vmo, &size));
    return size;
}

static uint64_t position(zx_handle_t stream)
{
    zx_off_t seek = UINT64_MAX;

    EXPECT_OK(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_CURRENT, 0, &seek));
    return seek;
}

TEST(stream, creation)
{
    zx_handle_t vmo = vmo_new(PAGE), stream = SENTINEL_HANDLE, event, weak;

    EXPECT_STATUS(zx_stream_create(8, vmo, 0, &stream), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_create(0, ZX_HANDLE_INVALID, 0, &stream), ZX_ERR_BAD_HANDLE);
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_stream_create(0, event, 0, &stream), ZX_ERR_WRONG_TYPE);
    weak = duplicate_without(vmo, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_stream_create(ZX_STREAM_MODE_WRITE, weak, 0, &stream), ZX_ERR_ACCESS_DENIED);
    close_handle(stream_over(weak, ZX_STREAM_MODE_READ, 0));
    close_handle(weak);
    weak = duplicate_without(vmo, ZX_RIGHT_READ);
    EXPECT_STATUS(zx_stream_create(ZX_STREAM_MODE_READ, weak, 0, &stream), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    EXPECT_STATUS(zx_stream_create(0, vmo, 0, (zx_handle_t *)KERNEL_ADDRESS), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(stream, SENTINEL_HANDLE);
    stream = stream_over(vmo, 0, 5);
    EXPECT_EQ(rights_of(stream), 0xD0C3);
    EXPECT_EQ(basic_info(stream).type, ZX_OBJ_TYPE_STREAM);
    close_handle(stream);
    stream = stream_over(vmo, RW_MODE | ZX_STREAM_MODE_APPEND, 5);
    EXPECT_EQ(rights_of(stream), 0xD0CF);
    close_handle(stream);
    close_handle(event);
    close_handle(vmo);
}

TEST(stream, reads_up_to_its_end)
{
    zx_handle_t vmo, stream = stream_of("0123456789", &vmo);
    char a[3], b[4], c[100];
    zx_iovec_t vectors[] = {{a, sizeof(a)}, {NULL, 0}, {b, sizeof(b)}, {c, sizeof(c)}};
    size_t actual;

    expect_read(stream, 4, "0123");
    EXPECT_EQ(position(stream), 4);
    ASSERT_OK(zx_stream_readv_at(stream, 0, 1, vectors, 4, &actual));
    EXPECT_EQ(actual, 9);
    EXPECT(memcmp(a, "123", 3) == 0 && memcmp(b, "4567", 4) == 0 && memcmp(c, "89", 2) == 0);
    EXPECT_EQ(position(stream), 4);
    expect_read(stream, 50, "456789");
    expect_read(stream, 50, "");
    EXPECT_OK(zx_stream_readv_at(stream, 0, UINT64_MAX, vectors, 4, &actual));
    EXPECT_EQ(actual, 0);
    EXPECT_OK(zx_stream_readv(stream, 0, vectors, 4, NULL));
    close_handle(stream);
    close_handle(vmo);
}

TEST(stream, writes_move_the_end)
{
    zx_handle_t vmo, stream = stream_of("0123456789", &vmo);
    zx_iovec_t vectors[] = {{(void *)(uintptr_t) "ab", 2}, {(void *)(uintptr_t) "cde", 3}};
    char in[32];
    size_t actual = 0;

    EXPECT_OK(zx_stream_writev(stream, 0, vectors, 2, &actual));
    EXPECT_EQ(actual, 5);
    EXPECT_EQ(position(stream), 5);
    EXPECT_EQ(stream_size(vmo), 10);
    EXPECT_OK(write_text(stream, ZX_STREAM_APPEND, "end", &actual));
    EXPECT_EQ(stream_size(vmo), 13);
    EXPECT_EQ(position(stream), 13);
    /* What lies between the old end and what is written is zeros. */
    ASSERT_OK(zx_vmo_write(vmo, "garbage", 13, 7));
    EXPECT_OK(zx_stream_writev_at(stream, 0, 18, vectors, 1, &actual));
    EXPECT_EQ(position(stream), 13);
    ASSERT_OK(zx_vmo_read(vmo, in, 0, 20));
    EXPECT(memcmp(in, "abcde56789end\0\0\0\0\0ab", 20) == 0);
    EXPECT_EQ(stream_size(vmo), 20);
    /* The VMO grows with it. */
    EXPECT_OK(zx_stream_writev_at(stream, 0, 3 * PAGE - 1, vectors, 1, &actual));
    EXPECT_EQ(actual, 2);
    EXPECT_EQ(stream_size(vmo), 3 * PAGE + 1);
    uint64_t size;
    EXPECT_OK(zx_vmo_get_size(vmo, &size));
    EXPECT_EQ(size, 4 * PAGE);
    close_handle(stream);
    close_handle(vmo);
}

TEST(stream, a_vmo_that_cannot_grow)
{
    zx_handle_t vmos[2] = {vmo_new(PAGE), vmo_new_resizable(PAGE)};
    zx_iovec_t vector = {(void *)(uintptr_t) "0123456789", 10};
    size_t actual = 77;

    ASSERT_OK(zx_handle_replace(vmos[1], rights_of(vmos[1]) & ~ZX_RIGHT_RESIZE, &vmos[1]));
    for (int i = 0; i < 2; i++) {
        ASSERT_OK(zx_vmo_set_stream_size(vmos[i], 0));
        zx_handle_t stream = stream_over(vmos[i], RW_MODE, PAGE - 4);
        EXPECT_OK(zx_stream_writev(stream, 0, &vector, 1, &actual));
        EXPECT_EQ(actual, 4);
        EXPECT_EQ(stream_size(vmos[i]), PAGE);
        actual = 77;
        EXPECT_STATUS(zx_stream_writev(stream, 0, &vector, 1, &actual), ZX_ERR_NO_SPACE);
        EXPECT_STATUS(zx_stream_writev(stream, ZX_STREAM_APPEND, &vector, 1, &actual),
                      ZX_ERR_NO_SPACE);
        EXPECT_STATUS(zx_stream_writev_at(stream, 0, PAGE, &vector, 1, &actual), ZX_ERR_NO_SPACE);
        EXPECT_STATUS(zx_stream_writev_at(stream, 0, UINT64_MAX, &vector, 1, &actual),
                      ZX_ERR_FILE_BIG);
        zx_handle_t at_end = stream_over(vmos[i], RW_MODE, UINT64_MAX);
        EXPECT_STATUS(zx_stream_writev(at_end, 0, &vector, 1, &actual), ZX_ERR_FILE_BIG);
        close_handle(at_end);
        EXPECT_EQ(actual, 77);
        vector.capacity = 0;
        EXPECT_OK(zx_stream_writev(stream, 0, &vector, 1, &actual));
        EXPECT_EQ(actual, 0);
        vector.capacity = 10;
        close_handle(stream);
        close_handle(vmos[i]);
    }
}

TEST(stream, append_mode)
{
    zx_handle_t vmo, other = stream_of("01234", &vmo);
    zx_handle_t stream = stream_over(vmo, RW_MODE | ZX_STREAM_MODE_APPEND, 1);
    zx_info_stream_t info;
    uint8_t append = 0;
    size_t actual;

    expect_read(stream, 2, "12");
    EXPECT_OK(write_text(stream, 0, "56", &actual));
    EXPECT_EQ(position(stream), 7);
    EXPECT_OK(zx_object_get_property(stream, ZX_PROP_STREAM_MODE_APPEND, &append, 1));
    EXPECT_EQ(append, 1);
    append = 0;
    EXPECT_OK(zx_object_set_property(stream, ZX_PROP_STREAM_MODE_APPEND, &append, 1));
    EXPECT_OK(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_START, 0, NULL));
    EXPECT_OK(write_text(stream, 0, "x", &actual));
    EXPECT_EQ(stream_size(vmo), 7);
    ASSERT_OK(zx_object_get_info(stream, ZX_INFO_STREAM, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.options, RW_MODE);
    EXPECT_EQ(info.seek, 1);
    EXPECT_EQ(info.content_size, 7);
    expect_read(other, 50, "x123456");
    EXPECT_STATUS(zx_object_get_info(vmo, ZX_INFO_STREAM, &info, sizeof(info), NULL, NULL),
                  ZX_ERR_WRONG_TYPE);
    close_handle(other);
    close_handle(stream);
    close_handle(vmo);
}

TEST(stream, seek)
{
    zx_handle_t vmo, stream = stream_of("0123456789", &vmo), weak;
    zx_off_t seek = 77;

    EXPECT_STATUS(zx_stream_seek(stream, 3, 0, &seek), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_START, -1, &seek),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_END, -11, &seek),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_END, INT64_MAX, &seek),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(seek, 77);
    EXPECT_OK(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_END, -3, &seek));
    EXPECT_EQ(seek, 7);
    expect_read(stream, 9, "789");
    EXPECT_OK(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_CURRENT, -9, &seek));
    EXPECT_EQ(seek, 1);
    EXPECT_OK(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_START, INT64_MAX, &seek));
    EXPECT_STATUS(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_CURRENT, 1, &seek),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_START, 2, NULL));
    expect_read(stream, 2, "23");
    weak = duplicate_without(stream, ZX_RIGHT_READ | ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_stream_seek(weak, ZX_STREAM_SEEK_ORIGIN_START, 0, &seek),
                  ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    EXPECT_STATUS(zx_stream_seek(vmo, ZX_STREAM_SEEK_ORIGIN_START, 0, &seek), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_stream_seek(ZX_HANDLE_INVALID, ZX_STREAM_SEEK_ORIGIN_START, 0, &seek),
                  ZX_ERR_BAD_HANDLE);
    close_handle(stream);
    close_handle(vmo);
}

TEST(stream, transfers_check_their_arguments)
{
    zx_handle_t vmo, stream = stream_of("0123456789", &vmo), weak;
    char in[8];
    zx_iovec_t vector = {in, 4}, bad = {(void *)KERNEL_ADDRESS, 4};
    zx_iovec_t too_much[2] = {{in, SIZE_MAX}, {in, 1}};
    size_t actual = 77;

    EXPECT_STATUS(zx_stream_readv(stream, 1, &vector, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_readv_at(stream, 1, 0, &vector, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_writev(stream, 2, &vector, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_writev_at(stream, 1, 0, &vector, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_readv(vmo, 0, &vector, 1, &actual), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_stream_readv_at(vmo, 0, 0, &vector, 1, &actual), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_stream_writev(vmo, 0, &vector, 1, &actual), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_stream_writev_at(vmo, 0, 0, &vector, 1, &actual), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_stream_readv(0, 0, &vector, 1, &actual), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_stream_readv_at(0, 0, 0, &vector, 1, &actual), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_stream_writev(0, 0, &vector, 1, &actual), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_stream_writev_at(0, 0, 0, &vector, 1, &actual), ZX_ERR_BAD_HANDLE);
    weak = stream_over(vmo, ZX_STREAM_MODE_READ, 0);
    EXPECT_STATUS(zx_stream_writev(weak, 0, &vector, 1, &actual), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_stream_writev_at(weak, 0, 0, &vector, 1, &actual), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    weak = stream_over(vmo, ZX_STREAM_MODE_WRITE, 0);
    EXPECT_STATUS(zx_stream_readv(weak, 0, &vector, 1, &actual), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_stream_readv_at(weak, 0, 0, &vector, 1, &actual), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    EXPECT_STATUS(zx_stream_readv(stream, 0, NULL, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_readv(stream, 0, (zx_iovec_t *)KERNEL_ADDRESS, 1, &actual),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_readv(stream, 0, &vector, 8193, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_writev(stream, 0, too_much, 2, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_readv(stream, 0, &bad, 1, &actual), ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(zx_stream_readv_at(stream, 0, 0, &bad, 1, &actual), ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(zx_stream_writev(stream, 0, &bad, 1, &actual), ZX_ERR_NOT_FOUND);
    /* A write that fails leaves the stream as long as it was. */
    EXPECT_STATUS(zx_stream_writev_at(stream, 0, 100, &bad, 1, &actual), ZX_ERR_NOT_FOUND);
    EXPECT_EQ(stream_size(vmo), 10);
    EXPECT_EQ(position(stream), 0);
    EXPECT_EQ(actual, 77);
    close_handle(stream);
    close_handle(vmo);
}

TEST(stream, memory_that_is_not_cached)
{
    zx_handle_t vmo = vmo_new(PAGE), stream;
    char in[4] = {0};
    zx_iovec_t vector = {in, sizeof(in)};
    size_t actual = 77;

    ASSERT_OK(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED));
    stream = stream_over(vmo, RW_MODE, 0);
    EXPECT_STATUS(zx_stream_readv(stream, 0, &vector, 1, &actual), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_stream_readv_at(stream, 0, 0, &vector, 1, &actual), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_stream_writev(stream, 0, &vector, 1, &actual), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_stream_writev_at(stream, 0, 0, &vector, 1, &actual), ZX_ERR_BAD_STATE);
    EXPECT_EQ(actual, 77);
    EXPECT_EQ(position(stream), 0);
    close_handle(stream);
    close_handle(vmo);
}
