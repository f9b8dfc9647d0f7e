// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.codec;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.crdt.Counter.Tally;
import dev.entente.core.crdt.Splice;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.json.Members;
import dev.entente.core.json.Path;
import dev.entente.core.record.Change;
import dev.entente.core.record.Change.EditSequence.Seed;
import dev.entente.core.record.Fingerprint;
import dev.entente.core.record.Origin;
import dev.entente.core.record.Proof;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/** Versions as JSON; equal versions are equal JSON. See {@code docs/formats}. */
public final class VersionJson {
  private static final int FORMAT = 1;

  private VersionJson() {}

  public static JsonObject write(Version version) {
    TreeMap<String, Json> json = new TreeMap<>();
    json.put("format", Json.of(FORMAT));
    json.put("dot", CausalJson.of(version.dot()));
    json.put("tenant", Json.of(version.key().tenant()));
    json.put("type", Json.of(version.key().type()));
    json.put("id", Json.of(version.key().id()));
    json.put("previous", Json.of(version.previous()));
    json.put("context", CausalJson.of(version.context().vector()));
    if (!version.context().dots().isEmpty()) {
      json.put("contextDots", CausalJson.of(version.context().dots()));
    }
    json.put("acceptedAt", Json.of(version.acceptedAt().packed()));
    json.put("time", Json.of(version.time().packed()));
    json.put("author", Json.of(version.author()));
    version.device().ifPresent(device -> json.put("device", Json.of(device)));
    version.eventId().ifPresent(id -> json.put("eventId", Json.of(id)));
    json.put("note", Json.of(version.note()));
    json.put("clockErrorMillis", Json.of(version.clockErrorMillis()));
    version.origin().ifPresent(origin -> json.put("origin", write(origin)));
    version.proof().ifPresent(proof -> json.put("proof", write(proof)));
    json.put("changes", list(version.changes(), VersionJson::write));
    return JsonObject.of(json);
  }

  /**
   * Reads a version.
   *
   * @throws IllegalArgumentException where it is none
   */
  public static Version read(Json json) {
    Members members = Members.of(json);
    if (members.number("format") != FORMAT) {
      throw new IllegalArgumentException("a format that this release does not read");
    }
    RecordKey key = new RecordKey(members.text("tenant"), members.text("type"), members.text("id"));
    CausalContext context =
        new CausalContext(
            CausalJson.vector(members.value("context")),
            new TreeSet<>(members.optional("contextDots").map(CausalJson::dots).orElse(List.of())));
    Version version =
        Version.builder(CausalJson.dot(members.value("dot")), key)
            .previous(members.number("previous"))
            .context(context)
            .acceptedAt(new HybridTime(members.number("acceptedAt")))
            .time(new HybridTime(members.number("time")))
            .author(members.text("author"))
            .device(members.optionalText("device"))
            .eventId(members.optionalText("eventId"))
            .note(members.text("note"))
            .clockErrorMillis(
                Members.smallNumber(members.value("clockErrorMillis"), "clockErrorMillis"))
            .origin(members.optional("origin").map(VersionJson::readOrigin))
            .proof(members.optional("proof").map(VersionJson::readProof))
            .changes(list(members.value("changes"), "changes", VersionJson::readChange))
            .build();
    members.end();
    return version;
  }

  private static Json write(Origin origin) {
    return JsonObject.of(Map.of("sender", hex(origin.sender()), "request", hex(origin.request())));
  }

  private static Origin readOrigin(Json json) {
    Members members = Members.of(json);
    Origin origin =
        new Origin(fingerprint(members.text("sender")), fingerprint(members.text("request")));
    members.end();
    return origin;
  }

  private static Json write(Proof proof) {
    return JsonObject.of(
        Map.of(
            "signer", hex(proof.signer()),
            "first", hex(proof.first()),
            "second", hex(proof.second())));
  }

  private static Proof readProof(Json json) {
    Members members = Members.of(json);
    Proof proof =
        new Proof(
            fingerprint(members.text("signer")),
            fingerprint(members.text("first")),
            fingerprint(members.text("second")));
    members.end();
    return proof;
  }

  private static Json hex(Fingerprint fingerprint) {
    return Json.of(HexFormat.of().formatHex(fingerprint.toBytes()));
  }

  private static Fingerprint fingerprint(String hex) {
    return Fingerprint.of(HexFormat.of().parseHex(hex));
  }

  private static Json write(Change change) {
    return switch (change) {
      case Change.Assign assign ->
          with(
              assign
                  .sumHistory()
                  .map(history -> assigned(assign).with("sum", SumHistoryCodec.toJson(history)))
                  .orElseGet(() -> assigned(assign)),
              assign.value());
      case Change.Clear _ -> JsonObject.of("kind", Json.of("clear"));
      case Change.Remove remove ->
          path("remove", remove.path()).with("counted", tallies(remove.counted()));
      case Change.Restore restore -> path("restore", restore.path());
      case Change.Count count ->
          path("count", count.path()).with("difference", Json.of(count.difference()));
      case Change.Give give ->
          path("give", give.path())
              .with("to", Json.of(give.to().value()))
              .with("amount", Json.of(give.amount()));
      case Change.EditSequence edit -> {
        JsonObject json =
            path("edit-sequence", edit.path())
                .with("splices", list(edit.splices(), VersionJson::write));
        yield edit.seed()
            .map(seed ->
                json.with(
                    "seed", with(JsonObject.of("dot", CausalJson.of(seed.dot())), seed.value())))
            .orElse(json);
      }
      case Change.EditSet edit ->
          path("edit-set", edit.path())
              .with("add", new JsonArray(edit.add()))
              .with("remove", new JsonArray(edit.remove()))
              .with("removeWins", Json.of(edit.removeWins()));
    };
  }

  private static JsonObject assigned(Change.Assign assign) {
    return unit("assign", assign.unit()).with("ancestors", ancestors(assign.ancestors()));
  }

  private static Change readChange(Json json) {
    Members members = Members.of(json);
    String kind = members.text("kind");
    Change change =
        switch (kind) {
          case "assign" ->
              new Change.Assign(
                  readUnit(members),
                  members.valueOrAbsent("value"),
                  list(members.value("ancestors"), "ancestors", VersionJson::readAncestor),
                  members.optional("sum").map(SumHistoryCodec::fromJson));
          case "clear" -> new Change.Clear();
          case "remove" -> new Change.Remove(readPath(members), readTallies(members));
          case "restore" -> new Change.Restore(readPath(members));
          case "count" -> new Change.Count(readPath(members), members.number("difference"));
          case "give" ->
              new Change.Give(
                  readPath(members), new NodeId(members.text("to")), members.number("amount"));
          case "edit-sequence" ->
              new Change.EditSequence(
                  readPath(members),
                  list(members.value("splices"), "splices", VersionJson::readSplice),
                  members.optional("seed").map(VersionJson::readSeed));
          case "edit-set" ->
              new Change.EditSet(
                  readPath(members),
                  members.items("add"),
                  members.items("remove"),
                  members.value("removeWins").equals(Json.of(true)));
          default -> throw new IllegalArgumentException("no change is a " + kind);
        };
    members.end();
    return change;
  }

  private static JsonObject unit(String kind, Unit unit) {
    return unit.isGroup()
        ? JsonObject.of("kind", Json.of(kind)).with("group", names(unit.path()))
        : path(kind, unit.path());
  }

  private static Unit readUnit(Members members) {
    Optional<Json> group = members.optional("group");
    return group.isPresent()
        ? new Unit(Unit.Kind.GROUP, readNames(group.get()))
        : Unit.field(readPath(members));
  }

  private static JsonObject path(String kind, Path path) {
    return JsonObject.of("kind", Json.of(kind)).with("path", names(path));
  }

  private static Path readPath(Members members) {
    return readNames(members.value("path"));
  }

  private static Json names(Path path) {
    return list(path.names(), JsonString::new);
  }

  private static Path readNames(Json json) {
    return new Path(list(json, "path", name -> Members.text(name, "a name")));
  }

  private static Json ancestors(List<Ancestor> ancestors) {
    return list(
        ancestors,
        ancestor ->
            with(
                JsonObject.of("dots", CausalJson.of(ancestor.dots()))
                    .with("author", Json.of(ancestor.author())),
                ancestor.value()));
  }

  private static Ancestor readAncestor(Json json) {
    Members members = Members.of(json);
    Ancestor ancestor =
        new Ancestor(
            CausalJson.dots(members.value("dots")),
            members.text("author"),
            members.valueOrAbsent("value"));
    members.end();
    return ancestor;
  }

  /** What each node had added, taken away and given to others. */
  private static Json tallies(SortedArrayMap<NodeId, Tally> tallies) {
    TreeMap<String, Json> json = new TreeMap<>();
    tallies.forEach((node, tally) -> {
      TreeMap<String, Json> given = new TreeMap<>();
      tally.given().forEach((to, amount) -> given.put(to.value(), JsonNumber.of(amount)));
      json.put(
          node.value(),
          new JsonArray(
              List.of(Json.of(tally.ups()), Json.of(tally.downs()), JsonObject.of(given))));
    });
    return JsonObject.of(json);
  }

  private static SortedArrayMap<NodeId, Tally> readTallies(Members members) {
    TreeMap<NodeId, Tally> tallies = new TreeMap<>();
    if (!(members.value("counted") instanceof JsonObject counted)) {
      throw new IllegalArgumentException("counted is not an object");
    }
    counted
        .members()
        .forEach((node, json) -> {
          List<Json> parts = Members.items(json, 3, "a tally");
          tallies.put(
              new NodeId(node),
              new Tally(
                  Members.number(parts.get(0), "a sum"),
                  Members.number(parts.get(1), "a sum"),
                  CausalJson.vector(parts.get(2)).entries()));
        });
    return SortedArrayMap.copyOf(tallies);
  }

  private static Json write(Splice splice) {
    return new JsonArray(
        List.of(Json.of(splice.position()), Json.of(splice.deleted()), splice.inserted()));
  }

  private static Splice readSplice(Json json) {
    List<Json> parts = Members.items(json, 3, "a splice");
    return new Splice(
        Members.smallNumber(parts.get(0), "a position"),
        Members.smallNumber(parts.get(1), "a length"),
        parts.get(2));
  }

  private static Seed readSeed(Json json) {
    Members members = Members.of(json);
    Seed seed = new Seed(CausalJson.dot(members.value("dot")), members.valueOrAbsent("value"));
    members.end();
    return seed;
  }

  private static JsonObject with(JsonObject json, Json value) {
    return value.isAbsent() ? json : json.with("value", value);
  }

  private static <T> Json list(List<T> items, Function<T, Json> each) {
    return new JsonArray(items.stream().map(each).toList());
  }

  private static <T> List<T> list(Json json, String name, Function<Json, T> each) {
    List<T> items = new ArrayList<>();
    Members.items(json, name).forEach(item -> items.add(each.apply(item)));
    return items;
  }
}
