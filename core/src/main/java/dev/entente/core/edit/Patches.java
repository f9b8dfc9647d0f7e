// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.edit;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNull;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.util.ArrayList;
import java.util.List;

/** Applies merge patches (RFC 7396) and JSON patches (RFC 6902) to documents. */
public final class Patches {
  private Patches() {}

  /** RFC 7396, section 2. */
  public static Json mergePatch(Json target, Json patch) {
    if (!(patch instanceof JsonObject changes)) {
      return patch;
    }
    JsonObject before = target instanceof JsonObject object ? object : JsonObject.EMPTY;
    return new JsonObject(
        before
            .members()
            .merge(
                changes.members(),
                (mine, change) ->
                    change == null
                        ? mine
                        : change instanceof JsonNull
                            ? null
                            : mergePatch(mine == null ? JsonAbsent.ABSENT : mine, change)));
  }

  /**
   * Applies all operations or none.
   *
   * @throws EditProblem where an operation is malformed, its place does not exist, or a test fails
   */
  public static Json jsonPatch(Json target, List<Json> operations) throws EditProblem {
    Json document = target;
    for (int i = 0; i < operations.size(); i++) {
      if (!(operations.get(i) instanceof JsonObject operation)) {
        throw new EditProblem("operation " + i + " is not an object");
      }
      try {
        document = apply(document, operation);
      } catch (EditProblem e) {
        throw new EditProblem("operation " + i + ": " + e.getMessage());
      }
    }
    return document;
  }

  private static Json apply(Json document, JsonObject operation) throws EditProblem {
    List<String> path = pointer(operation, "path");
    String name = operation.get("op") instanceof JsonString(String op) ? op : "(missing)";
    return switch (name) {
      case "add" -> add(document, path, 0, value(operation));
      case "replace" -> {
        require(get(document, path), path);
        yield path.isEmpty()
            ? value(operation)
            : add(remove(document, path, 0), path, 0, value(operation));
      }
      case "remove" -> {
        require(get(document, path), path);
        yield remove(document, path, 0);
      }
      case "move" -> {
        List<String> from = pointer(operation, "from");
        if (path.size() > from.size() && path.subList(0, from.size()).equals(from)) {
          throw new EditProblem("cannot move a value into itself");
        }
        Json moved = require(get(document, from), from);
        yield add(remove(document, from, 0), path, 0, moved);
      }
      case "copy" -> {
        List<String> from = pointer(operation, "from");
        yield add(document, path, 0, require(get(document, from), from));
      }
      case "test" -> {
        if (!get(document, path).equals(value(operation))) {
          throw new EditProblem("the test of /" + String.join("/", path) + " failed");
        }
        yield document;
      }
      default ->
          throw new EditProblem(
              "unknown op " + name + "; known are add, remove, replace, move, copy, test");
    };
  }

  private static List<String> pointer(JsonObject operation, String member) throws EditProblem {
    if (!(operation.get(member) instanceof JsonString(String text))
        || !(text.isEmpty() || text.startsWith("/"))) {
      throw new EditProblem("\"" + member + "\" must be a JSON pointer");
    }
    if (text.isEmpty()) {
      return List.of();
    }
    List<String> names = new ArrayList<>();
    for (String part : text.substring(1).split("/", -1)) {
      names.add(part.replace("~1", "/").replace("~0", "~"));
    }
    return names;
  }

  private static Json value(JsonObject operation) throws EditProblem {
    Json value = operation.get("value");
    if (value.isAbsent()) {
      throw new EditProblem("\"value\" is missing");
    }
    return value;
  }

  private static Json require(Json value, List<String> path) throws EditProblem {
    if (value.isAbsent()) {
      throw new EditProblem("there is nothing at /" + String.join("/", path));
    }
    return value;
  }

  private static Json get(Json document, List<String> path) {
    Json here = document;
    for (String name : path) {
      here =
          switch (here) {
            case JsonObject object -> object.get(name);
            case JsonArray array -> {
              int index = index(name);
              yield index >= 0 && index < array.size()
                  ? array.items().get(index)
                  : JsonAbsent.ABSENT;
            }
            default -> JsonAbsent.ABSENT;
          };
    }
    return here;
  }

  private static int index(String name) {
    return name.matches("0|[1-9][0-9]{0,8}") ? Integer.parseInt(name) : -1;
  }

  private static Json add(Json here, List<String> path, int depth, Json value) throws EditProblem {
    if (depth == path.size()) {
      return value;
    }
    String name = path.get(depth);
    boolean last = depth == path.size() - 1;
    if (here instanceof JsonObject object) {
      Json member = object.get(name);
      if (!last) {
        require(member, path.subList(0, depth + 1));
      }
      return object.with(name, last ? value : add(member, path, depth + 1, value));
    }
    String place = "/" + String.join("/", path.subList(0, depth));
    if (!(here instanceof JsonArray array)) {
      throw new EditProblem(place + " holds neither an object nor an array");
    }
    int index = name.equals("-") && last ? array.size() : index(name);
    if (index < 0 || index > (last ? array.size() : array.size() - 1)) {
      throw new EditProblem("there is no position " + name + " in " + place);
    }
    List<Json> items = new ArrayList<>(array.items());
    if (last) {
      items.add(index, value);
    } else {
      items.set(index, add(items.get(index), path, depth + 1, value));
    }
    return new JsonArray(items);
  }

  private static Json remove(Json here, List<String> path, int depth) {
    if (depth == path.size()) {
      return JsonAbsent.ABSENT;
    }
    String name = path.get(depth);
    return switch (here) {
      case JsonObject object -> object.with(name, remove(object.get(name), path, depth + 1));
      case JsonArray array -> {
        List<Json> items = new ArrayList<>(array.items());
        Json item = remove(items.get(index(name)), path, depth + 1);
        if (item.isAbsent()) {
          items.remove(index(name));
        } else {
          items.set(index(name), item);
        }
        yield new JsonArray(items);
      }
      default -> here;
    };
  }
}
