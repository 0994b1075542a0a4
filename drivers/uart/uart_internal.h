// Between the common UART code and the drivers.
#pragma once

#include "drivers/uart/uart.h"

// Reads of a status register before a device that does not answer counts as dead. One character
// takes 87 us at 115200 baud and a register read at least some 50 ns; this leaves room for a full
// FIFO at 9600 baud on fast hardware.
#define UART_POLL_LIMIT 1000000u

// DesignWare UART status register: number 0x1f, at byte 0x7c with the usual spacing of 4
// (DW_apb_uart databook, "Register memory map").
#define UART_DW_REG_USR 0x1fu

extern const struct uart_ops uart_8250_ops;
extern const struct uart_ops uart_sifive_ops;

// Hands one received byte to the owner of the port.
void uart_rx_deliver(struct uart *uart, char c);
