#!/usr/bin/env python3
"""The conformance runner, tried on canned transcripts: what passes, and above all what must not."""
import argparse
import contextlib
import io
import os
import pty
import sys
import threading
import unittest

import machine
import tap_run

GOOD = """\
OpenSBI v1.1
[    0.001] memory: 512 MiB
TAP version 14
1..3
# start vmo: create
ok 1 - vmo: create
[    0.100] a log line
# start vmar: map
ok 2 - vmar: map
# start iob: peer closed
ok 3 - iob: peer closed
"""
# Nothing that answers is cut off on a busy machine; the tests of the limits use short ones.
LIMITS = argparse.Namespace(per_test=20, boot=20, overall=60)
SHORT_BOOT = argparse.Namespace(per_test=20, boot=0.5, overall=60)
SHORT_TEST = argparse.Namespace(per_test=0.5, boot=20, overall=60)


def shell(script):
    return machine.ProcessConsole(["sh", "-c", script])


def say(text, then="exit 0"):
    """A machine that prints text and then does something."""
    return shell(f"cat <<'TRANSCRIPT'\n{text}TRANSCRIPT\n{then}")


def judge(console, limits=LIMITS, **kwargs):
    """(status, lines of the report) of a run."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = tap_run.run_suite(console, limits, "trial", **kwargs)
    return status, out.getvalue().splitlines()


class TapRunTest(unittest.TestCase):
    def check(self, console, status, counts, *texts, **kwargs):
        got, lines = judge(console, **kwargs)
        self.assertEqual(lines[-1], counts, lines)
        self.assertEqual(got, status)
        for text in texts:
            self.assertIn(text, "\n".join(lines))

    def test_all_pass(self):
        self.check(say(GOOD), 0, "3 passed, 0 failed")

    def test_carriage_returns(self):
        self.check(say(GOOD.replace("\n", "\r\n")), 0, "3 passed, 0 failed")

    def test_failure_shows_its_diagnostics(self):
        text = GOOD.replace("ok 2 - vmar: map\n",
                            "not ok 2 - vmar: map\n  ---\n  got: -10\n  ...\n")
        self.check(say(text, "exit 1"), 1, "2 passed, 1 failed", "not ok 2 - vmar: map",
                   "got: -10")

    def test_diagnostics_of_a_passed_test_are_no_results(self):
        text = GOOD.replace("ok 2 - vmar: map\n", "ok 2 - vmar: map\n  ---\nok 3 - no\n  ...\n")
        self.check(say(text), 0, "3 passed, 0 failed")

    def test_skip_is_no_pass(self):
        text = GOOD.replace("ok 2 - vmar: map", "ok 2 - vmar: map # SKIP one hart")
        self.check(say(text), 0, "2 passed, 0 failed", "skipped: vmar: map: one hart")

    def test_status_of_the_machine_counts(self):
        self.check(say(GOOD, "exit 3"), 1, "3 passed, 1 failed", "exit status is 3")

    def test_failure_with_status_zero(self):
        text = GOOD.replace("ok 2", "not ok 2")
        self.check(say(text), 1, "2 passed, 2 failed", "exit status is 0")

    def test_missing_plan(self):
        self.check(say(GOOD.replace("1..3\n", "")), 1, "3 passed, 1 failed", "no plan")

    def test_plan_at_the_end(self):
        self.check(say(GOOD.replace("1..3\n", "") + "1..3\n"), 0, "3 passed, 0 failed")

    def test_fewer_than_planned(self):
        self.check(say(GOOD.replace("1..3", "1..4")), 1, "3 passed, 1 failed",
                   "4 tests planned, 3 reported")

    def test_more_than_planned(self):
        self.check(say(GOOD.replace("1..3", "1..2")), 1, "3 passed, 1 failed",
                   "2 tests planned, 3 reported")

    def test_ended_inside_a_test(self):
        text = GOOD.replace("ok 3 - iob: peer closed\n", "")
        self.check(say(text), 1, "2 passed, 1 failed", 'ended in "iob: peer closed"')

    def test_duplicate_number(self):
        self.check(say(GOOD.replace("ok 3", "ok 2")), 1, "3 passed, 1 failed", "reported twice")

    def test_empty_plan(self):
        self.check(say("TAP version 14\n1..0\n"), 1, "0 passed, 1 failed", "plan of no tests")

    def test_no_suite(self):
        self.check(say("OpenSBI\n"), 1, "0 passed, 1 failed", "never began")

    def test_results_before_the_version_line_do_not_count(self):
        self.check(say("ok 1 - early\n" + GOOD), 0, "3 passed, 0 failed")

    def test_bail_out(self):
        text = GOOD.replace("# start iob: peer closed\nok 3 - iob: peer closed\n",
                            "Bail out! no memory\n")
        self.check(say(text, "exit 1"), 1, "2 passed, 1 failed", "Bail out! no memory")

    def test_hang_names_the_test(self):
        text = GOOD.replace("ok 3 - iob: peer closed\n", "")
        self.check(say(text, "exec sleep 30"), 1, "2 passed, 1 failed",
                   'hang: no progress for 0.5 s in test 3 "iob: peer closed"', "| 1..3",
                   limits=SHORT_TEST)

    def test_log_lines_are_no_progress(self):
        text = GOOD.replace("ok 3 - iob: peer closed\n", "")
        chatter = "for i in 1 2 3 4 5 6 7 8; do echo \"[ $i] tick\"; sleep 0.2; done"
        self.check(say(text, chatter), 1, "2 passed, 1 failed", "hang: no progress",
                   limits=SHORT_TEST)

    def test_hang_at_boot(self):
        self.check(shell("echo OpenSBI; exec sleep 30"), 1, "0 passed, 1 failed",
                   "hang: no suite within 0.5 s", limits=SHORT_BOOT)

    def test_hang_at_power_off(self):
        self.check(say(GOOD, "exec sleep 30"), 1, "3 passed, 1 failed", "hang: no power-off",
                   limits=SHORT_TEST)

    def test_overall_limit(self):
        limits = argparse.Namespace(per_test=20, boot=20, overall=1)
        loop = "while sleep 0.1; do echo '# start again'; done"
        self.check(say(GOOD, loop), 1, "3 passed, 1 failed", "not over after 1 s",
                   limits=limits)

    def test_panic_names_the_test(self):
        text = GOOD.replace("ok 3 - iob: peer closed\n",
                            "[    0.200] panic: load page fault\n[    0.201] hart 0: idle\n")
        self.check(say(text, "exit 1"), 1, "2 passed, 1 failed",
                   'kernel panic in test 3 "iob: peer closed"', "| [    0.201] hart 0: idle")

    def test_panic_that_does_not_power_off(self):
        tap_run.PANIC_SECONDS = 0.3
        text = GOOD.replace("ok 3 - iob: peer closed\n", "panic: load page fault\n")
        self.check(say(text, "exec sleep 30"), 1, "2 passed, 1 failed", "kernel panic in test 3")

    def test_half_a_line_at_the_end(self):
        text = GOOD.replace("ok 3 - iob: peer closed\n", "")
        self.check(say(text, "printf 'ok 3 - iob: peer closed'"), 0, "3 passed, 0 failed")

    def test_board(self):
        """A serial line with a shell that wants to be asked."""
        board, line = pty.openpty()

        def shell_on_board():
            typed = b""
            os.write(board, b"beryl> ")
            while not typed.endswith(b"run conformance\n"):
                typed += os.read(board, 100)
            os.write(board, GOOD.replace("\n", "\r\n").encode() + b"beryl> ")

        console = machine.TtyConsole(os.ttyname(line))
        answering = threading.Thread(target=shell_on_board, daemon=True)
        answering.start()
        self.check(console, 0, "3 passed, 0 failed", ask_shell=True, wait_for_end=False)
        answering.join(5)
        os.close(board)
        os.close(line)

    def test_board_without_a_prompt(self):
        board, line = pty.openpty()
        self.check(machine.TtyConsole(os.ttyname(line)), 1, "0 passed, 1 failed", "no prompt",
                   ask_shell=True, limits=SHORT_BOOT, wait_for_end=False)
        os.close(board)
        os.close(line)


def main():
    result = unittest.TextTestRunner(stream=io.StringIO(), verbosity=0).run(
        unittest.defaultTestLoader.loadTestsFromTestCase(TapRunTest))
    for case, trace in result.failures + result.errors:
        print(f"  FAIL  {case}\n{trace}")
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed")
    return 1 if bad or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
