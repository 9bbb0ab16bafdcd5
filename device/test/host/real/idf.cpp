#include "idf.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "host-clock.h"

struct Mutex {
  std::recursive_mutex mutex;
};

struct EventGroup {
  std::mutex mutex;
  std::condition_variable changed;
  EventBits_t bits = 0;
};

struct EventLoop {
  struct Event {
    esp_event_base_t base;
    int32_t id;
    std::string data;
  };
  struct Handler {
    esp_event_handler_t call;
    int32_t id;
    void* self;
  };
  std::mutex mutex;
  std::deque<Event> events;
  std::vector<Handler> handlers;
};

struct Transport {
  int socket = -1;
  int port = 0;
};

char* platform_create_id_string() { return strdup("board"); }
int platform_random(int max) { return rand() % max; }
uint64_t platform_tick_get_ms() { return nowMs(CLOCK_MONOTONIC); }

SemaphoreHandle_t xSemaphoreCreateRecursiveMutex() { return new Mutex; }
int xSemaphoreTakeRecursive(SemaphoreHandle_t mutex, TickType_t) {
  mutex->mutex.lock();
  return pdTRUE;
}
int xSemaphoreGiveRecursive(SemaphoreHandle_t mutex) {
  mutex->mutex.unlock();
  return pdTRUE;
}
void vSemaphoreDelete(SemaphoreHandle_t mutex) { delete mutex; }

EventGroupHandle_t xEventGroupCreate() { return new EventGroup; }
EventBits_t xEventGroupGetBits(EventGroupHandle_t group) {
  std::lock_guard<std::mutex> guard(group->mutex);
  return group->bits;
}
EventBits_t xEventGroupSetBits(EventGroupHandle_t group, EventBits_t bits) {
  std::lock_guard<std::mutex> guard(group->mutex);
  group->changed.notify_all();
  return group->bits |= bits;
}
EventBits_t xEventGroupClearBits(EventGroupHandle_t group, EventBits_t bits) {
  std::lock_guard<std::mutex> guard(group->mutex);
  EventBits_t before = group->bits;
  group->bits &= ~bits;
  return before;
}
EventBits_t xEventGroupWaitBits(EventGroupHandle_t group, EventBits_t bits, int clear, int, TickType_t ticks) {
  std::unique_lock<std::mutex> lock(group->mutex);
  group->changed.wait_for(lock, std::chrono::milliseconds(ticks), [=] { return (group->bits & bits) != 0; });
  EventBits_t found = group->bits;
  if (clear && (found & bits)) group->bits &= ~bits;
  return found;
}
void vEventGroupDelete(EventGroupHandle_t group) { delete group; }

int xTaskCreatePinnedToCore(void (*task)(void*), const char*, uint32_t, void* argument, int, TaskHandle_t* handle, int) {
  *handle = new std::thread(task, argument);
  return pdTRUE;
}
TaskHandle_t xTaskGetCurrentTaskHandle() { return nullptr; }
void vTaskDelete(TaskHandle_t) {}

esp_err_t esp_event_loop_create(const esp_event_loop_args_t*, esp_event_loop_handle_t* loop) {
  *loop = new EventLoop;
  return ESP_OK;
}
esp_err_t esp_event_loop_delete(esp_event_loop_handle_t loop) {
  delete loop;
  return ESP_OK;
}
esp_err_t esp_event_post_to(esp_event_loop_handle_t loop, esp_event_base_t base, int32_t id, const void* data,
                            size_t size, TickType_t) {
  std::lock_guard<std::mutex> guard(loop->mutex);
  loop->events.push_back({base, id, std::string(static_cast<const char*>(data), size)});
  return ESP_OK;
}
esp_err_t esp_event_loop_run(esp_event_loop_handle_t loop, TickType_t) {
  for (;;) {
    std::unique_lock<std::mutex> lock(loop->mutex);
    if (loop->events.empty()) return ESP_OK;
    EventLoop::Event event = loop->events.front();
    loop->events.pop_front();
    lock.unlock();
    for (const EventLoop::Handler& each : loop->handlers) {
      if (each.id == ESP_EVENT_ANY_ID || each.id == event.id) each.call(each.self, event.base, event.id, &event.data[0]);
    }
  }
}
esp_err_t esp_event_handler_register_with(esp_event_loop_handle_t loop, esp_event_base_t, int32_t id,
                                          esp_event_handler_t handler, void* self) {
  loop->handlers.push_back({handler, id, self});
  return ESP_OK;
}
esp_err_t esp_event_handler_unregister_with(esp_event_loop_handle_t, esp_event_base_t, int32_t, esp_event_handler_t) {
  return ESP_OK;
}

esp_transport_list_handle_t esp_transport_list_init() { return new Transport; }
esp_err_t esp_transport_list_destroy(esp_transport_list_handle_t) { return ESP_OK; }
static esp_transport_handle_t only;
esp_err_t esp_transport_list_add(esp_transport_list_handle_t, esp_transport_handle_t transport, const char*) {
  only = transport;
  return ESP_OK;
}
esp_transport_handle_t esp_transport_list_get_transport(esp_transport_list_handle_t, const char*) { return only; }
esp_transport_handle_t esp_transport_tcp_init() { return new Transport; }
esp_err_t esp_transport_destroy(esp_transport_handle_t) { return ESP_OK; }
esp_err_t esp_transport_set_default_port(esp_transport_handle_t transport, int port) {
  transport->port = port;
  return ESP_OK;
}
int esp_transport_get_default_port(esp_transport_handle_t transport) { return transport->port; }
void esp_transport_tcp_set_keep_alive(esp_transport_handle_t, esp_transport_keep_alive_t*) {}
void esp_transport_tcp_set_interface_name(esp_transport_handle_t, struct ifreq*) {}

int esp_transport_connect(esp_transport_handle_t transport, const char* host, int port, int) {
  esp_transport_close(transport);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, host, &address.sin_addr);
  transport->socket = socket(AF_INET, SOCK_STREAM, 0);
  return connect(transport->socket, reinterpret_cast<sockaddr*>(&address), sizeof(address));
}
static int waitFor(esp_transport_handle_t transport, short events, int timeout) {
  pollfd one = {transport->socket, events, 0};
  return poll(&one, 1, timeout);
}
int esp_transport_poll_read(esp_transport_handle_t transport, int timeout) { return waitFor(transport, POLLIN, timeout); }
int esp_transport_read(esp_transport_handle_t transport, char* into, int length, int timeout) {
  if (waitFor(transport, POLLIN, timeout) == 0) return ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT;
  ssize_t count = recv(transport->socket, into, static_cast<size_t>(length), 0);
  if (count == 0) return ERR_TCP_TRANSPORT_CONNECTION_CLOSED_BY_FIN;
  return count < 0 ? ERR_TCP_TRANSPORT_CONNECTION_FAILED : static_cast<int>(count);
}
int esp_transport_write(esp_transport_handle_t transport, const char* bytes, int length, int timeout) {
  if (waitFor(transport, POLLOUT, timeout) == 0) return 0;
  return static_cast<int>(send(transport->socket, bytes, static_cast<size_t>(length), MSG_NOSIGNAL));
}
int esp_transport_close(esp_transport_handle_t transport) {
  if (transport->socket >= 0) close(transport->socket);
  transport->socket = -1;
  return 0;
}
int esp_transport_get_errno(esp_transport_handle_t) { return errno; }
esp_tls_error_handle_t esp_transport_get_error_handle(esp_transport_handle_t) { return nullptr; }
esp_err_t esp_tls_get_and_clear_last_error(esp_tls_error_handle_t, int*, int*) { return ESP_OK; }
