// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Describe;
import dev.entente.engine.Node;
import dev.entente.engine.Outcome;
import dev.entente.engine.Snapshot;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.json.JsonProblem;
import dev.entente.engine.json.JsonReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Replays a recorded three-way merge through a node: one author creates the base, two authors write
 * from the same context, the node settles, and what it shows is compared with what people made of
 * it.
 */
final class Replay {
  private static final String TENANT = "main";
  private final Node node;
  private final String type;
  private static final JsonReader READER = JsonReader.lenient(_ -> {});

  Replay(Node node, String type) {
    this.node = node;
    this.type = type;
  }

  /** What came of one case; {@code error} is empty where it ran. */
  record Result(
      String id,
      String repo,
      String commit,
      String path,
      Snapshot after,
      boolean pending,
      boolean equal,
      boolean gitClean,
      boolean gitEqual) {
    Json toJson() {
      Map<String, Json> members = new TreeMap<>();
      members.put("id", Json.of(id));
      members.put("repo", Json.of(repo));
      members.put("commit", Json.of(commit));
      members.put("path", Json.of(path));
      members.put("outcome", Json.of(pending ? "pending" : "settled"));
      members.put("equalToHuman", Json.of(equal));
      members.put("merged", Describe.orNull(unwrapped(after.view().data())));
      members.put("conflicts", Describe.conflicts(after.key(), after.view().resolutions()));
      return JsonObject.of(members);
    }
  }

  /** The four documents of a case. */
  record Case(JsonObject line, Json base, Json left, Json right, Json merged) {}

  /**
   * Reads one case.
   *
   * @throws IllegalArgumentException where the line is no case
   */
  static Case read(String line) {
    if (!(parse(line) instanceof JsonObject one)) {
      throw new IllegalArgumentException("a case is an object");
    }
    String base = text(one, "base");
    return new Case(
        one,
        parse(base),
        parse(expand(base, one.get("left"))),
        parse(expand(base, one.get("right"))),
        parse(expand(base, one.get("merged"))));
  }

  /**
   * Runs one case.
   *
   * @throws IllegalArgumentException where the line is no case
   */
  Result run(String line) {
    Case read = read(line);
    JsonObject one = read.line();
    RecordKey key = new RecordKey(TENANT, type, text(one, "id"));
    JsonObject times = one.get("times") instanceof JsonObject object ? object : JsonObject.EMPTY;
    HybridTime left = seconds(times, "left");
    HybridTime right = seconds(times, "right");
    HybridTime before =
        HybridTime.ofMillis(Math.max(0, Math.min(left.millis(), right.millis()) - 1000));

    Snapshot created = write(key, read.base(), new Seen.Absence(), "base", before);
    Seen same = new Seen.Context(created.state().context());
    write(key, read.left(), same, "left", left);
    write(key, read.right(), same, "right", right);

    Snapshot after = node.read(key);
    JsonObject git = one.get("git") instanceof JsonObject object ? object : JsonObject.EMPTY;
    return new Result(
        key.id(),
        text(one, "repo"),
        text(one, "merge"),
        text(one, "path"),
        after,
        after.view().hasPending(),
        unwrapped(after.view().data()).equals(read.merged()),
        git.get("conflict").equals(JsonBool.FALSE),
        git.get("equal").equals(JsonBool.TRUE));
  }

  private Snapshot write(RecordKey key, Json document, Seen seen, String author, HybridTime at) {
    Outcome outcome =
        node.write(WriteRequest.of(key, new Edit.Put(wrapped(document)), seen, author).at(at))
            .join();
    return switch (outcome) {
      case Outcome.Accepted accepted -> accepted.after();
      case Outcome.Rejected rejected -> throw new IllegalArgumentException(rejected.message());
      case Outcome.Duplicate duplicate -> duplicate.now();
    };
  }

  /** A record is an object; a file may be any JSON value. */
  static JsonObject wrapped(Json document) {
    return document instanceof JsonObject object ? object : JsonObject.of("", document);
  }

  static Json unwrapped(Json data) {
    return data instanceof JsonObject object
            && object.members().size() == 1
            && object.members().containsKey("")
        ? object.get("")
        : data;
  }

  private static Json parse(String text) {
    try {
      return READER.read(text);
    } catch (JsonProblem e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  private static String text(JsonObject object, String name) {
    return object.get(name) instanceof JsonString(String text) ? text : "";
  }

  private static HybridTime seconds(JsonObject times, String side) {
    return HybridTime.ofMillis(
        times.get(side) instanceof JsonNumber number && number.isLong()
            ? number.longValue() * 1000
            : 0);
  }

  /** Applies splices of lines to the base, or takes the text as it is. */
  private static String expand(String base, Json edits) {
    if (edits instanceof JsonString(String text)) {
      return text;
    }
    List<String> lines = new ArrayList<>(List.of(base.split("(?<=\n)")));
    List<Json> splices = edits instanceof JsonArray array ? array.items() : List.of();
    for (int i = splices.size() - 1; i >= 0; i--) {
      if (splices.get(i) instanceof JsonArray splice
          && splice.size() == 3
          && splice.items().get(0) instanceof JsonNumber first
          && splice.items().get(1) instanceof JsonNumber removed
          && splice.items().get(2) instanceof JsonString(String text)) {
        int at = (int) first.longValue();
        lines.subList(at, at + (int) removed.longValue()).clear();
        lines.add(at, text);
      } else {
        throw new IllegalArgumentException("a splice is [first, removed, text]");
      }
    }
    return String.join("", lines);
  }
}
