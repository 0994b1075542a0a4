# The targets people type.

all: $(BUILD)/Image host-tests

-include $(wildcard $(DEPS))

help:
	@sed -n 's/^#: \{0,1\}//p' mk/targets.mk

clean:
	rm -rf build build-*/

.PHONY: all help clean

#: make                 build kernel, userland and host tests
#: make clean           remove everything that was built
