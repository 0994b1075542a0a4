"""A GUID partition table around partitions that are given (UEFI Specification 2.10, chapter 5)."""
import uuid
import zlib

SECTOR_BYTES = 512
ENTRY_COUNT = 128
ENTRY_BYTES = 128
HEADER_BYTES = 92
TABLE_SECTORS = ENTRY_COUNT * ENTRY_BYTES // SECTOR_BYTES
# Header and table, before the first partition and after the last.
HEAD_SECTORS = 2 + TABLE_SECTORS
TAIL_SECTORS = 1 + TABLE_SECTORS
LEGACY_BOOTABLE = 1 << 2


def le(value, count_bytes):
    return value.to_bytes(count_bytes, "little")


def entry(partition):
    """(type, guid, first LBA, last LBA, attributes, name) as the table has it."""
    kind, guid, first, last, attributes, name = partition
    raw = (uuid.UUID(kind).bytes_le + uuid.UUID(guid).bytes_le + le(first, 8) + le(last, 8) +
           le(attributes, 8) + name.encode("utf-16-le"))
    return raw.ljust(ENTRY_BYTES, b"\0")


def header(disk_guid, count_sectors, table, own_lba, other_lba, table_lba):
    fields = [b"EFI PART", le(0x00010000, 4), le(HEADER_BYTES, 4), le(0, 4), le(0, 4),
              le(own_lba, 8), le(other_lba, 8), le(HEAD_SECTORS, 8),
              le(count_sectors - TAIL_SECTORS - 1, 8), uuid.UUID(disk_guid).bytes_le,
              le(table_lba, 8), le(ENTRY_COUNT, 4), le(ENTRY_BYTES, 4), le(zlib.crc32(table), 4)]
    raw = b"".join(fields)
    return (raw[:16] + le(zlib.crc32(raw), 4) + raw[20:]).ljust(SECTOR_BYTES, b"\0")


def protective_mbr(count_sectors):
    """One partition of type 0xEE over the whole disk, for programs that know no GPT."""
    raw = bytearray(SECTOR_BYTES)
    raw[446:462] = (b"\x00\x00\x02\x00\xee\xff\xff\xff" + le(1, 4) +
                    le(min(count_sectors - 1, 0xFFFFFFFF), 4))
    raw[510:512] = b"\x55\xaa"
    return bytes(raw)


def write(file, count_sectors, disk_guid, partitions):
    """Writes both copies of the table into a file of count_sectors. `partitions` is
    [(type, guid, first LBA, last LBA, attributes, name)], partition 1 first."""
    table = b"".join(entry(p) for p in partitions).ljust(ENTRY_COUNT * ENTRY_BYTES, b"\0")
    last = count_sectors - 1
    file.seek(0)
    file.write(protective_mbr(count_sectors))
    file.write(header(disk_guid, count_sectors, table, 1, last, 2))
    file.write(table)
    file.seek((last - TABLE_SECTORS) * SECTOR_BYTES)
    file.write(table)
    file.write(header(disk_guid, count_sectors, table, last, 1, last - TABLE_SECTORS))
