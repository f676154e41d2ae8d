/*
 * An addon of Node.js of which a thread of its own calls back every two milliseconds: module.exports = (callback) => {}. Of
 * Node-API, whose binary interface is stable, only what is used is declared.
 */
#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

typedef void *value;
typedef void *environment;
typedef void *threadsafe_function;

int napi_create_function(environment env, const char *name, size_t length, value (*call)(environment, void *), void *data,
			 value *result);
int napi_get_cb_info(environment env, void *info, size_t *count, value *arguments, value *receiver, void **data);
int napi_create_string_utf8(environment env, const char *text, size_t length, value *result);
int napi_create_threadsafe_function(environment env, value function, value resource, value name, size_t most_queued,
				    size_t threads, void *finalize_data, void *finalize, void *context, void *call,
				    threadsafe_function *result);
int napi_call_threadsafe_function(threadsafe_function function, void *data, int mode);

static void *tick(void *function)
{
	while (!napi_call_threadsafe_function(function, NULL, 0))
		usleep(2000);
	return NULL;
}

static value begin(environment env, void *info)
{
	threadsafe_function function;
	value callback, name;
	size_t count = 1;
	pthread_t thread;

	if (napi_get_cb_info(env, info, &count, &callback, NULL, NULL) ||
	    napi_create_string_utf8(env, "ticks", 5, &name) ||
	    napi_create_threadsafe_function(env, callback, NULL, name, 0, 1, NULL, NULL, NULL, NULL, &function))
		return NULL;
	pthread_create(&thread, NULL, tick, function);
	return NULL;
}

value napi_register_module_v1(environment env, value exports)
{
	value function;

	return napi_create_function(env, "begin", 5, begin, NULL, &function) ? exports : function;
}
