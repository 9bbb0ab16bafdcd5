/* For the compilers of boards, which come without a C library. */
#pragma once
#include <stdint-gcc.h>
