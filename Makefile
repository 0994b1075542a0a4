# Beryl. `make help` lists the targets; the rules are in mk/.
#
# Options (make NAME=value):
#   V=1                print whole commands
#   DEBUG=1            debug build (assertions on tree walks) in build-debug/
#   COMPILER=gcc|clang compiler for the target; clang builds in build-clang/
#   BUILD=dir          where everything that is built goes
#   EXTRA="a.c b.cc"   build each file into a program of that name in the ramdisk
# HARTS, MEM, MACHINE, APPEND, TTY, DTB: see `make help`.

.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
SHELL := /bin/sh

V        ?= 0
DEBUG    ?= 0
COMPILER ?= gcc
EXTRA    ?=

HARTS    ?= 4
MEM      ?= 512M
MACHINE  ?= virt
APPEND   ?=
export HARTS MEM MACHINE APPEND

ifneq ($(filter-out gcc clang,$(COMPILER)),)
$(error COMPILER must be gcc or clang, not "$(COMPILER)")
endif

BUILD ?= build$(if $(filter clang,$(COMPILER)),-clang)$(if $(filter-out 0,$(DEBUG)),-debug)

# make itself lets a -j of the command line win over this one; a make started by make shares the
# job slots of its parent.
SINGLE_LETTER_FLAGS := $(filter-out --%,$(firstword -$(MAKEFLAGS)))
MAKEFLAGS += --no-builtin-rules --no-builtin-variables
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 1)
endif

ifeq ($(V),1)
Q :=
step = @:
else
Q := @
step = @printf '  %-7s %s\n' '$(1)' '$(2)'
endif

# The packages come first: everything below asks the compilers where their files are. Nothing is
# installed for the goals that build nothing, nor under make -n and -q.
PASSIVE_GOALS := clean help
SETUP ?= sh tools/setup.sh
ifeq ($(MAKELEVEL),0)
ifneq ($(filter-out $(PASSIVE_GOALS),$(or $(MAKECMDGOALS),all)),)
ifeq ($(findstring n,$(SINGLE_LETTER_FLAGS))$(findstring q,$(SINGLE_LETTER_FLAGS)),)
SETUP_OUTPUT := $(shell $(SETUP) >&2)
ifneq ($(.SHELLSTATUS),0)
$(error set-up did not finish; see the lines above)
endif
endif
endif
endif

PYTHON := PYTHONDONTWRITEBYTECODE=1 python3

all:

include mk/rules.mk
include mk/kernel.mk
include mk/userland.mk
include mk/firmware.mk
include mk/sdcard.mk
include mk/host.mk
include mk/check.mk
include mk/targets.mk
