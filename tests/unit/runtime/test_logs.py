"""`logging` is set up when, and only when, something imports it, and follows a changed environment."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

FIRST = "import os, sys; from pyl.runtime.logging import logs; logs.configure(os.environ)\n"


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", FIRST + textwrap.dedent(code)],
        env={"PYTHONPATH": ":".join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=True,
    )


def test_logging_is_not_imported_for_its_own_sake() -> None:
    run("assert 'logging' not in sys.modules and 'json' not in sys.modules")


def test_logging_is_set_up_as_soon_as_it_is_imported() -> None:
    done = run("import logging; logging.basicConfig(level='INFO'); logging.warning('w'); logging.info('i')")
    assert done.stdout.startswith("[WARNING]\t")
    assert done.stdout.endswith("Z\t\tw\n")
    assert done.stderr == ""


def test_a_submodule_of_logging_sets_it_up_too() -> None:
    assert "Z\t\tw\n" in run("import logging.config; logging.warning('w')").stdout


def test_the_module_keeps_its_own_loader() -> None:
    run(
        """
        import inspect, logging
        assert type(logging.__loader__) is type(inspect.__loader__), logging.__loader__
        assert logging.__spec__.loader is logging.__loader__
        assert 'def getLogger' in inspect.getsource(logging)
        assert not [finder for finder in sys.meta_path if type(finder).__module__ == 'pyl.runtime.import_hooks']
        """
    )


def test_configuring_twice_leaves_one_handler_and_follows_the_environment() -> None:
    done = run(
        """
        import logging
        logging.info('too fine')
        os.environ.update(AWS_LAMBDA_LOG_FORMAT='JSON', AWS_LAMBDA_LOG_LEVEL='INFO')
        logs.configure(os.environ)
        logging.info('now')
        assert len(logging.getLogger().handlers) == 1
        """
    )
    assert done.stdout.startswith('{"timestamp": "20')
    assert '"level": "INFO", "message": "now", "logger": "root"' in done.stdout
    assert "too fine" not in done.stdout


def test_what_the_users_code_has_set_is_not_overruled_later() -> None:
    done = run(
        """
        import logging
        root = logging.getLogger()
        root.setLevel('ERROR')
        root.handlers[0].setFormatter(logging.Formatter('%(aws_request_id)s|%(message)s\\n'))
        logs.state.request_id = 'r'
        os.environ.update(AWS_LAMBDA_LOG_FORMAT='JSON', AWS_LAMBDA_LOG_LEVEL='INFO')
        logs.configure(os.environ)
        logging.warning('w'); logging.error('e')
        """
    )
    assert done.stdout == "r|e\n"


def test_an_import_of_logging_that_fails_once_can_be_tried_again() -> None:
    run(
        """
        import importlib.machinery
        real = importlib.machinery.SourceFileLoader.exec_module
        def failing(self, module): raise ImportError('once')
        importlib.machinery.SourceFileLoader.exec_module = failing
        try:
            import logging
        except ImportError:
            pass
        importlib.machinery.SourceFileLoader.exec_module = real
        import logging
        assert type(logging.getLogger().handlers[0]).__name__ == 'LambdaHandler'
        """
    )


def test_a_handler_that_cannot_format_a_record_does_not_stop_the_function() -> None:
    done = run("import logging; logging.warning('%d', 'x'); logging.warning('after')")
    assert "after" in done.stdout
    assert "--- Logging error ---" in done.stderr


@pytest.mark.parametrize("breakage", ["sys.stdout = None", "sys.stdout.close()", "sys.stdout = object()"])
def test_streams_that_the_users_code_has_replaced_are_no_harm(breakage: str) -> None:
    run(f"{breakage}\nlogs.flush(); logs.configure(os.environ); os._exit(0)")


def test_lines_reach_the_log_although_the_process_is_killed() -> None:
    assert run("print('line'); print('rest', end=''); os._exit(0)").stdout == "line\n"
