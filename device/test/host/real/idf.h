// What esp-mqtt uses of ESP-IDF, for a PC: every header of ESP-IDF that it includes is this one.
#pragma once
#include <inttypes.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/queue.h>

// newlib has it, glibc does not.
#define STAILQ_FOREACH_SAFE(each, head, field, next) \
  for ((each) = STAILQ_FIRST(head); (each) && ((next) = STAILQ_NEXT(each, field), 1); (each) = (next))

#ifdef __cplusplus
extern "C" {
#endif

#define CONFIG_MQTT_PROTOCOL_311 1
#define CONFIG_MQTT_MSG_ID_INCREMENTAL 1
#define CONFIG_MQTT_POLL_READ_TIMEOUT_MS 20

#define ESP_IDF_VERSION_VAL(major, minor, patch) ((major) << 16 | (minor) << 8 | (patch))
#define ESP_IDF_VERSION ESP_IDF_VERSION_VAL(5, 5, 0)

typedef int esp_err_t;
enum {
  ESP_OK = 0,
  ESP_FAIL = -1,
  ESP_ERR_NO_MEM = 0x101,
  ESP_ERR_INVALID_ARG = 0x102,
  ESP_ERR_INVALID_STATE = 0x103,
  ESP_ERR_NOT_SUPPORTED = 0x106,
  ESP_ERR_TIMEOUT = 0x107,
};

#define ESP_LOGE(tag, ...) ((void)(tag))
#define ESP_LOGW(tag, ...) ((void)(tag))
#define ESP_LOGI(tag, ...) ((void)(tag))
#define ESP_LOGD(tag, ...) ((void)(tag))
#define ESP_LOGV(tag, ...) ((void)(tag))
#define ESP_MEM_CHECK(tag, a, action) \
  if (!(a)) {                         \
    action;                           \
  }
#define ESP_OK_CHECK(tag, a, action) \
  if ((a) != ESP_OK) {               \
    action;                          \
  }

enum { MALLOC_CAP_DEFAULT = 1, MALLOC_CAP_SPIRAM = 2 };
#define heap_caps_malloc(size, caps) malloc(size)
#define heap_caps_calloc(count, size, caps) calloc(count, size)

char* platform_create_id_string(void);
int platform_random(int max);
uint64_t platform_tick_get_ms(void);

// FreeRTOS
typedef struct Mutex* SemaphoreHandle_t;
typedef struct EventGroup* EventGroupHandle_t;
typedef void* TaskHandle_t;
typedef uint32_t EventBits_t;
typedef uint32_t TickType_t;
enum { pdTRUE = 1, pdPASS = 1, portTICK_PERIOD_MS = 1, tskNO_AFFINITY = 0 };
#define portMAX_DELAY 0xffffffffu
#define pdMS_TO_TICKS(ms) (ms)
SemaphoreHandle_t xSemaphoreCreateRecursiveMutex(void);
int xSemaphoreTakeRecursive(SemaphoreHandle_t mutex, TickType_t ticks);
int xSemaphoreGiveRecursive(SemaphoreHandle_t mutex);
void vSemaphoreDelete(SemaphoreHandle_t mutex);
EventGroupHandle_t xEventGroupCreate(void);
EventBits_t xEventGroupGetBits(EventGroupHandle_t group);
EventBits_t xEventGroupSetBits(EventGroupHandle_t group, EventBits_t bits);
EventBits_t xEventGroupClearBits(EventGroupHandle_t group, EventBits_t bits);
EventBits_t xEventGroupWaitBits(EventGroupHandle_t group, EventBits_t bits, int clear, int all, TickType_t ticks);
void vEventGroupDelete(EventGroupHandle_t group);
int xTaskCreatePinnedToCore(void (*task)(void*), const char* name, uint32_t stack, void* argument, int priority,
                            TaskHandle_t* handle, int core);
TaskHandle_t xTaskGetCurrentTaskHandle(void);
void vTaskDelete(TaskHandle_t task);

// The event loop
typedef const char* esp_event_base_t;
typedef struct EventLoop* esp_event_loop_handle_t;
typedef void (*esp_event_handler_t)(void* self, esp_event_base_t base, int32_t id, void* data);
typedef struct {
  int32_t queue_size;
  const char* task_name;
} esp_event_loop_args_t;
#define ESP_EVENT_ANY_ID -1
#define ESP_EVENT_DECLARE_BASE(id) extern esp_event_base_t const id
#define ESP_EVENT_DEFINE_BASE(id) esp_event_base_t const id = #id
esp_err_t esp_event_loop_create(const esp_event_loop_args_t* settings, esp_event_loop_handle_t* loop);
esp_err_t esp_event_loop_delete(esp_event_loop_handle_t loop);
esp_err_t esp_event_loop_run(esp_event_loop_handle_t loop, TickType_t ticks);
esp_err_t esp_event_post_to(esp_event_loop_handle_t loop, esp_event_base_t base, int32_t id, const void* data,
                            size_t size, TickType_t ticks);
esp_err_t esp_event_handler_register_with(esp_event_loop_handle_t loop, esp_event_base_t base, int32_t id,
                                          esp_event_handler_t handler, void* self);
esp_err_t esp_event_handler_unregister_with(esp_event_loop_handle_t loop, esp_event_base_t base, int32_t id,
                                            esp_event_handler_t handler);

// Transports, of which there is one: a socket
typedef struct Transport* esp_transport_handle_t;
typedef struct Transport* esp_transport_list_handle_t;
typedef struct esp_tls_last_error* esp_tls_error_handle_t;
typedef struct {
  bool keep_alive_enable;
  int keep_alive_idle;
  int keep_alive_interval;
  int keep_alive_count;
} esp_transport_keep_alive_t;
enum { ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT = 0, ERR_TCP_TRANSPORT_CONNECTION_CLOSED_BY_FIN = -1 };
enum { ERR_TCP_TRANSPORT_CONNECTION_FAILED = -2, ERR_TCP_TRANSPORT_NO_MEM = -3 };
esp_transport_list_handle_t esp_transport_list_init(void);
esp_err_t esp_transport_list_destroy(esp_transport_list_handle_t list);
esp_err_t esp_transport_list_add(esp_transport_list_handle_t list, esp_transport_handle_t transport, const char* scheme);
esp_transport_handle_t esp_transport_list_get_transport(esp_transport_list_handle_t list, const char* scheme);
esp_transport_handle_t esp_transport_tcp_init(void);
esp_err_t esp_transport_destroy(esp_transport_handle_t transport);
esp_err_t esp_transport_set_default_port(esp_transport_handle_t transport, int port);
int esp_transport_get_default_port(esp_transport_handle_t transport);
void esp_transport_tcp_set_keep_alive(esp_transport_handle_t transport, esp_transport_keep_alive_t* settings);
void esp_transport_tcp_set_interface_name(esp_transport_handle_t transport, struct ifreq* name);
int esp_transport_connect(esp_transport_handle_t transport, const char* host, int port, int timeout);
int esp_transport_read(esp_transport_handle_t transport, char* into, int length, int timeout);
int esp_transport_write(esp_transport_handle_t transport, const char* bytes, int length, int timeout);
int esp_transport_poll_read(esp_transport_handle_t transport, int timeout);
int esp_transport_close(esp_transport_handle_t transport);
int esp_transport_get_errno(esp_transport_handle_t transport);
esp_tls_error_handle_t esp_transport_get_error_handle(esp_transport_handle_t transport);
esp_err_t esp_tls_get_and_clear_last_error(esp_tls_error_handle_t handle, int* code, int* flags);

// The program gives host and port, never a URI.
enum { UF_SCHEMA, UF_HOST, UF_PORT, UF_PATH, UF_QUERY, UF_FRAGMENT, UF_USERINFO };
struct http_parser_url {
  uint16_t field_set;
  uint16_t port;
  struct {
    uint16_t off;
    uint16_t len;
  } field_data[7];
};
#define http_parser_url_init(url) ((void)(url))
#define http_parser_parse_url(text, length, isConnect, url) 1

#ifdef __cplusplus
}
#endif
