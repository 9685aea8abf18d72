# SPDX-License-Identifier: GPL-2.0
# install and uninstall. Both compute the same list of files from the source tree.

BINDIR = $(DESTDIR)$(PREFIX)/bin
MANDIR = $(DESTDIR)$(PREFIX)/share/man
COMPLETIONDIR = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
KVER := $(shell uname -r)
# Where the engine goes; it is installed only when the running kernel's headers are.
KMODDIR ?= /lib/modules/$(KVER)/updates
HAVE_HEADERS := $(wildcard /lib/modules/$(KVER)/build/Makefile)

UNITDIR = $(DESTDIR)$(PREFIX)/lib/systemd/system
SHAREDIR = $(DESTDIR)$(PREFIX)/share/ksmkit

UNITS := $(wildcard packaging/systemd/*)
DASHBOARDS := $(wildcard packaging/grafana/*.json)
MAN_PAGES := $(wildcard docs/*.1 docs/*.8)
COMPLETIONS := $(wildcard packaging/completions/*)

install: all
	install -d $(BINDIR)
	install -m 755 $(BINS) $(BINDIR)
	@set -e; for f in $(MAN_PAGES); do \
		d=$(MANDIR)/man$${f##*.}; install -d $$d; install -m 644 $$f $$d; done
	@set -e; for f in $(COMPLETIONS); do \
		install -d $(COMPLETIONDIR); install -m 644 $$f $(COMPLETIONDIR); done
	@set -e; for f in $(UNITS); do install -d $(UNITDIR); \
		sed 's|@BINDIR@|$(PREFIX)/bin|' $$f >$(UNITDIR)/$${f##*/}; \
		chmod 644 $(UNITDIR)/$${f##*/}; done
	install -d $(SHAREDIR)/grafana
	install -m 644 $(DASHBOARDS) $(SHAREDIR)/grafana
ifneq ($(HAVE_HEADERS),)
	tests/vm/build-kmod running
	install -d $(DESTDIR)$(KMODDIR)
	install -m 644 $(B)/kmod/$(KVER)/ksm_engine.ko $(DESTDIR)$(KMODDIR)
	$(if $(DESTDIR),,depmod $(KVER))
else
	@echo "ksm_engine.ko not installed: no headers of the running kernel $(KVER)"
endif

uninstall:
	rm -f $(foreach f,$(BINS),$(BINDIR)/$(notdir $(f)))
	rm -f $(foreach f,$(MAN_PAGES),$(MANDIR)/man$(subst .,,$(suffix $(f)))/$(notdir $(f)))
	rm -f $(foreach f,$(COMPLETIONS),$(COMPLETIONDIR)/$(notdir $(f)))
	rm -f $(foreach f,$(UNITS),$(UNITDIR)/$(notdir $(f)))
	rm -f $(foreach f,$(DASHBOARDS),$(SHAREDIR)/grafana/$(notdir $(f)))
	@if [ -d $(SHAREDIR) ]; then rmdir --ignore-fail-on-non-empty $(SHAREDIR)/grafana $(SHAREDIR); fi
	@if [ -e $(DESTDIR)$(KMODDIR)/ksm_engine.ko ]; then \
		echo rm -f $(DESTDIR)$(KMODDIR)/ksm_engine.ko; \
		rm -f $(DESTDIR)$(KMODDIR)/ksm_engine.ko; \
		$(if $(DESTDIR),true,depmod $(KVER)); fi
