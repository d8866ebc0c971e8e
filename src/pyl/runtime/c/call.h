/* One invocation: from the event to the answer's bytes. What is rare is done by Python. */
#ifndef PYL_CALL_H
#define PYL_CALL_H

#include "http.h"

/* What `NativeServer.plan` returns, in its order. */
enum {
    HANDLER,
    EVENT_FIRST,
    FROM_JSON, /* makes the event of a document; None: the handler takes the decoded JSON */
    CONTEXT,
    CONTEXT_TEMPLATE, /* attributes of a context that no header fills */
    CONTEXT_VARIABLES,
    IDENTITY,
    LOG_STATE,
    ENVIRON,
    DECODE,    /* (body): its value, or the error that says what is wrong with it */
    DESCRIBE,  /* (request id, deadline, ARN, trace id, client context, identity, tenant): the context, when a header holds JSON */
    FINISH,    /* (result, request id, invocation id): (body, content type), or None when it, or an error, has been posted */
    FAILED,    /* (exception, request id, invocation id): post it */
    FALL_BACK, /* (descriptor, received): answer an event by Python's own client, which goes on reading where this one stopped,
                  or, without a descriptor, asks anew */
    POST,      /* (request id, invocation id, body, content type, descriptor, received): the same for an answer */
    REFUSED,   /* (request id, status, body): Lambda did not want the answer */
    PLAN_LENGTH,
};

struct answer {
    struct text body;
    const char *content_type; /* NULL: it has been posted, or an error instead */
    PyObject *keeper;         /* owns the texts, if anything has to */
};

/* A header's text as a string. */
PyObject *string_of(struct text text);

/* Read what of the plan depends on the environment; 0 with an exception set. */
int call_prepare(PyObject *plan);

/* Answer `event`; 0 with an exception set when the process has to end. */
int call_handler(const struct response *event, struct answer *answer);

/* What is no longer needed once the answer has been sent. */
void call_clear(struct answer *answer);

/* rehearse(plan): answer an empty event that nobody sent, so that what a first call makes and caches is in the image. */
PyObject *pyl_rehearse(PyObject *module, PyObject *plan);

#endif
