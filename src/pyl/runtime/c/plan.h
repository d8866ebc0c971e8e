/* What Python hands to the C loop and to a restored process: named there, numbered here, once.
 *
 * Python gives the fields by name (`call_plan(handler=..., ...)`), before the image is taken. C reads them by number:
 * to look up names would touch pages at each cold start. The order of a list is of no importance. */
#ifndef PYL_PLAN_H
#define PYL_PLAN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* How to answer events with one function. */
#define CALL_PLAN(FIELD)                                                                                               \
    FIELD(handler)                                                                                                     \
    FIELD(event_first)     /* does the handler take the event before the context? */                                   \
    FIELD(event_from_json) /* (bytes): the event; None if the handler takes the decoded JSON */                        \
    FIELD(context_type)                                                                                                \
    FIELD(context_template)  /* attributes of a context that no header fills */                                        \
    FIELD(context_variables) /* attributes of a context to the variables that they come from */                        \
    FIELD(identity_type)                                                                                               \
    FIELD(log_state)                                                                                                   \
    FIELD(environ)                                                                                                     \
    FIELD(decode) /* (bytes): the value of a document, or an error that says what is wrong with it */                  \
    FIELD(                                                                                                             \
        make_context) /* (request id, deadline, ARN, trace id, client context, identity, tenant): for JSON headers */  \
    FIELD(finish)     /* (result, request id, invocation id): (body, content type), or None if posted */               \
    FIELD(post_error) /* (exception, request id, invocation id) */                                                     \
    FIELD(fall_back)  /* (descriptor, received): answer an event by Python's client. It reads on where this one        \
                           stopped or, without a descriptor, asks anew */                                              \
    FIELD(post_again) /* (request id, invocation id, body, content type, descriptor, received): likewise */            \
    FIELD(refused)    /* (request id, status, body): Lambda did not take the answer */

/* What a restored process does before it serves. */
#define RESTORE_PLAN(FIELD)                                                                                            \
    FIELD(environ)                                                                                                     \
    FIELD(environb)                                                                                                    \
    FIELD(reset_time_zone) /* (): called when TZ differs from the build's */                                           \
    FIELD(actions)         /* a tuple of (): files, random sources, hooks. Python runs them where it serves */         \
    FIELD(fail)            /* (exception): ends the process when an action raised it */                                \
    FIELD(configure_log)   /* (environ): called when Lambda configures the log */                                      \
    FIELD(call_plans)      /* function name to its call plan */

#define CALL_FIELD(name) CALL_##name,
#define RESTORE_FIELD(name) RESTORE_##name,

enum { CALL_PLAN(CALL_FIELD) CALL_PLAN_LENGTH };
enum { RESTORE_PLAN(RESTORE_FIELD) RESTORE_PLAN_LENGTH };

/* A field of a plan, borrowed. */
static inline PyObject *plan_field(PyObject *plan, int field) { return PyTuple_GET_ITEM(plan, field); }

/* call_plan(**fields), restore_plan(**fields): all fields, and no others. */
PyObject *pyl_call_plan(PyObject *module, PyObject *arguments, PyObject *fields);
PyObject *pyl_restore_plan(PyObject *module, PyObject *arguments, PyObject *fields);

#endif
