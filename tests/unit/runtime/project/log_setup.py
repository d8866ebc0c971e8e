"""Sets up logging at import, as programs do."""

import logging

logging.basicConfig(level=logging.INFO)
LOGGER = logging.getLogger(__name__)
LOGGER.info("imported")


def handler(event, context):
    LOGGER.info("called")
    LOGGER.debug("too fine")
