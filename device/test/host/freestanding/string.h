/* For the compilers of boards, which come without a C library. */
#pragma once
#include <stddef.h>

extern "C" {
void* memcpy(void* to, const void* from, size_t size);
void* memset(void* at, int byte, size_t size);
size_t strlen(const char* text);
int strcmp(const char* one, const char* other);
int strncmp(const char* one, const char* other, size_t size);
const char* strchr(const char* text, int each);
}
