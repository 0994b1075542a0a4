# gdb's side of `make debug`. The kernel runs at its linked addresses once paging is on; before
# that, at physical ones (use hbreak there).
set architecture riscv:rv64
set confirm off
set pagination off
set print pretty on
set history save off
set disassemble-next-line auto
set python print-stack message

define beryl-attached
    printf "Halted before the first instruction.\n"
    printf "Commands: harts, bt-all, csrs, panic-break, user.\n"
end

define harts
    info threads
end
document harts
Each hart with the function it is in.
end

define bt-all
    thread apply all backtrace
end
document bt-all
The backtrace of every hart.
end

define csrs
    printf "sstatus %#lx  sepc %#lx  scause %#lx  stval %#lx\n", \
        $sstatus, $sepc, $scause, $stval
    printf "satp %#lx  stvec %#lx  sscratch %#lx  sie %#lx  sip %#lx\n", \
        $satp, $stvec, $sscratch, $sie, $sip
end
document csrs
The supervisor registers of the current hart.
end

define user
    add-symbol-file $arg0 -o $arg1
end
document user
user FILE BASE: symbols of a program (build/bin/NAME) that is loaded at BASE.
end

define panic-break
    break panic
end
document panic-break
Stops when the kernel panics.
end
