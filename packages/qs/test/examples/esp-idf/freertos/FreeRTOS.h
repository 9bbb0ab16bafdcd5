#pragma once

#define portTICK_PERIOD_MS 1
