"""What ended threads left on their stacks is in no image."""

from __future__ import annotations

from pathlib import Path

from integration.image import packages
from integration.image.lambda_environment import Environment
from integration.image.libraries import add_library
from pyl.image.create import capture

LIBRARY = """
#include <pthread.h>
#include <sys/random.h>

static void *work(void *sum)
{
    volatile unsigned char bytes[256];
    getrandom((void *)bytes, sizeof bytes, 0);
    for (unsigned i = 0; i < sizeof bytes; i++)
        *(int *)sum += bytes[i] > 255;
    return sum;
}

int sum_in_a_thread(void)
{
    int sum = 7;
    pthread_t thread;
    pthread_create(&thread, NULL, work, &sum);
    pthread_join(thread, NULL);
    return sum;
}
"""
HANDLERS = """
import ctypes, os

library = ctypes.CDLL(os.path.join(os.path.dirname(__file__), "threads.so"))
at_import = library.sum_in_a_thread()

def handler(event, context):
    return [at_import, library.sum_in_a_thread()]
"""


def test_random_bytes_on_the_stack_of_an_ended_thread_are_not_kept(
    base: Path, tmp_path: Path, run: type[Environment]
) -> None:
    package = packages.with_functions(
        base, tmp_path / "package", {"handlers.py": HANDLERS}, {"handler": "handlers:handler"}
    )
    add_library(package, "threads.so", LIBRARY)
    result = capture(package, environment={"AWS_REGION": "us-east-1"})
    assert (result.kind, result.reasons) == ("full", ())
    with run(package) as environment:
        assert environment.invoke() == [7, 7]
        assert environment.notices == []
