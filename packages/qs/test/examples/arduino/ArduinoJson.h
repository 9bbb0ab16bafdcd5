// The part of ArduinoJson 7 that the sketch uses, over a small tree.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

struct JsonNode {
  enum Kind { Null, Bool, Number, String, Array, Object } kind = Null;
  std::string text;  // of a string, or a literal as JSON
  std::vector<std::pair<std::string, JsonNode>> members;  // of an array without keys

  JsonNode &at(const std::string &key) {
    kind = Object;
    for (auto &member : members)
      if (member.first == key) return member.second;
    members.emplace_back(key, JsonNode());
    return members.back().second;
  }
  const JsonNode &get(const std::string &key) const {
    static const JsonNode none;
    for (auto &member : members)
      if (kind == Object && member.first == key) return member.second;
    return none;
  }
};

inline void writeText(const std::string &text, std::string &out) {
  out += '"';
  for (char byte : text) {
    if (byte == '"' || byte == '\\') out += '\\';
    out += byte;
  }
  out += '"';
}

inline void writeNode(const JsonNode &node, std::string &out) {
  bool isObject = node.kind == JsonNode::Object;
  if (isObject || node.kind == JsonNode::Array) {
    out += isObject ? '{' : '[';
    bool isFirst = true;
    for (auto &member : node.members) {
      if (!isFirst) out += ',';
      isFirst = false;
      if (isObject) {
        writeText(member.first, out);
        out += ':';
      }
      writeNode(member.second, out);
    }
    out += isObject ? '}' : ']';
  } else if (node.kind == JsonNode::String) {
    writeText(node.text, out);
  } else {
    out += node.kind == JsonNode::Null ? "null" : node.text;
  }
}

struct JsonArray {};

class JsonVariantConst;

class JsonArrayConst {
 public:
  explicit JsonArrayConst(const JsonNode &array) : node(&array) {}
  class Iterator {
   public:
    explicit Iterator(const std::pair<std::string, JsonNode> *place) : at(place) {}
    JsonVariantConst operator*() const;
    Iterator &operator++() { return ++at, *this; }
    bool operator!=(const Iterator &other) const { return at != other.at; }

   private:
    const std::pair<std::string, JsonNode> *at;
  };
  Iterator begin() const { return Iterator(node->members.data()); }
  Iterator end() const { return Iterator(node->members.data() + node->members.size()); }

 private:
  const JsonNode *node;
};

class JsonVariantConst {
 public:
  explicit JsonVariantConst(const JsonNode &value) : node(&value) {}
  JsonVariantConst operator[](const char *key) const { return JsonVariantConst(node->get(key)); }
  const char *operator|(const char *fallback) const {
    return node->kind == JsonNode::String ? node->text.c_str() : fallback;
  }

 private:
  const JsonNode *node;
};

inline JsonVariantConst JsonArrayConst::Iterator::operator*() const {
  return JsonVariantConst(at->second);
}

/** Assigning creates the member. */
class JsonMember {
 public:
  explicit JsonMember(JsonNode &member) : node(&member) {}
  JsonMember operator[](const char *key) { return JsonMember(node->at(key)); }
  void operator=(const char *text) {
    node->kind = JsonNode::String;
    node->text = text;
  }
  template <typename Value>
  std::enable_if_t<std::is_arithmetic_v<Value>> operator=(Value value) {
    node->kind = JsonNode::Number;
    if constexpr (std::is_floating_point_v<Value>) {
      char digits[32];
      snprintf(digits, sizeof(digits), "%.9g", (double)value);
      // ArduinoJson writes null for NaN and for infinity.
      node->text = value - value == 0 ? digits : "null";
    } else {
      node->text = std::to_string(value);
    }
  }

 private:
  JsonNode *node;
};

class JsonDocument {
 public:
  JsonNode root;
  JsonMember operator[](const char *key) { return JsonMember(root.at(key)); }
  bool overflowed() const { return false; }
  template <typename Type>
  bool is() const {
    static_assert(std::is_same_v<Type, JsonArray>);
    return root.kind == JsonNode::Array;
  }
  template <typename Type>
  Type as() const {
    return Type(root);
  }
};

inline size_t measureJson(const JsonDocument &doc) {
  std::string out;
  writeNode(doc.root, out);
  return out.size();
}

inline size_t serializeJson(const JsonDocument &doc, char *into, size_t size) {
  std::string out;
  writeNode(doc.root, out);
  snprintf(into, size, "%s", out.c_str());
  return out.size();
}

class DeserializationError {
 public:
  explicit DeserializationError(const char *reason) : why(reason) {}
  explicit operator bool() const { return why != nullptr; }
  const char *c_str() const { return why; }

 private:
  const char *why;
};

class JsonReader {
 public:
  JsonReader(const char *bytes, size_t length) : at(bytes), end(bytes + length) {}

  bool read(JsonNode &node) {
    char first = next();
    if (first == '{' || first == '[') return readMembers(node, first == '{');
    if (first == '"') {
      node.kind = JsonNode::String;
      return readText(node.text);
    }
    const char *start = at;
    while (at < end && !strchr(",]} \t\r\n", *at)) at++;
    node.text.assign(start, at);
    node.kind = node.text == "null" ? JsonNode::Null : first == 't' || first == 'f' ? JsonNode::Bool : JsonNode::Number;
    return at > start;
  }
  bool isDone() { return next() == '\0'; }

 private:
  const char *at, *end;

  char next() {
    while (at < end && strchr(" \t\r\n", *at)) at++;
    return at < end ? *at : '\0';
  }

  bool readMembers(JsonNode &node, bool isObject) {
    char close = isObject ? '}' : ']';
    node.kind = isObject ? JsonNode::Object : JsonNode::Array;
    at++;
    if (next() == close) return ++at, true;
    while (true) {
      std::string key;
      if (isObject && (next() != '"' || !readText(key) || next() != ':')) return false;
      if (isObject) at++;
      node.members.emplace_back(key, JsonNode());
      if (!read(node.members.back().second)) return false;
      char after = next();
      at++;
      if (after == close) return true;
      if (after != ',') return false;
    }
  }

  bool readText(std::string &text) {
    for (at++; at < end && *at != '"'; at++) {
      if (*at == '\\' && ++at == end) return false;
      text += *at;
    }
    return at++ < end;
  }
};

inline DeserializationError deserializeJson(JsonDocument &doc, const char *bytes, size_t length) {
  JsonReader reader(bytes, length);
  return DeserializationError(reader.read(doc.root) && reader.isDone() ? nullptr : "InvalidInput");
}
