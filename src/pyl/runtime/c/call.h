/* One invocation: from the event to the answer's bytes. What is rare is done by Python. */
#ifndef PYL_CALL_H
#define PYL_CALL_H

#include "http.h"

struct answer {
    struct text body;
    const char *content_type; /* NULL: it has been posted, or an error instead */
    PyObject *owner;          /* of the texts, or NULL */
};

/* A header's text as a string. */
PyObject *decode_text(struct text text);

/* Read what of the plan depends on the environment; 0 with an exception set. */
int call_prepare(PyObject *plan);

/* Answer `event`; 0 with an exception set when the process has to end. */
int call_handler(const struct response *event, struct answer *answer);

/* Release what is no longer needed once the answer has been sent. */
void call_clear(struct answer *answer);

/* rehearse(plan): answer an empty event that nobody sent, so that what a first call makes and caches is in the image.
 */
PyObject *pyl_rehearse(PyObject *module, PyObject *plan);

#endif
