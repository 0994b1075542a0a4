/* What the image carries: the vDSO and the ramdisk, each on pages of its own, padded with zeros. */
    .section .rodata.blobs, "a"
    .global vdso_blob, vdso_blob_end, ramdisk_blob, ramdisk_blob_end

    .balign 4096
vdso_blob:
    .incbin VDSO_PATH
vdso_blob_end:
    .balign 4096
ramdisk_blob:
    .incbin RAMDISK_PATH
ramdisk_blob_end:
    .balign 4096
