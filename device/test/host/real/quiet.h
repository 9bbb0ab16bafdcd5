// espMqttClient logs each packet where it runs on a PC.
#pragma once
#include "Logging.h"
#undef emc_log_i
#undef emc_log_e
#undef emc_log_w
#define emc_log_i(...)
#define emc_log_e(...)
#define emc_log_w(...)
