// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.WriteRequest.Seen;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiPredicate;
import java.util.stream.Stream;

/**
 * Checkpoints of one record, one type or one tenant. A checkpoint is a name for the versions that
 * its node had at that moment, so creating one costs a single write; restoring it writes what those
 * versions add up to as new versions. Retention keeps what a checkpoint needs.
 *
 * <p>Checkpoints are records of the {@link Registry}, so every node knows them. Their order in the
 * log of the node that made them keeps the others from removing too much: a node that reads there
 * which versions that node has by now has read the checkpoint before.
 */
public final class ScopedCheckpoints {
  static final String TYPE = "checkpoint";
  private static final String CONTENT = "content";
  private static final int LISTED_MAX = 100_000;

  /** How many a tenant can have: each holds up the removal of old versions. */
  public static final int PER_TENANT_MAX = 100;

  private final Node node;

  public ScopedCheckpoints(Node node) {
    this.node = node;
  }

  /**
   * One of them.
   *
   * @param type the type it covers; empty for the whole tenant
   * @param id the record it covers; empty for all of the type
   * @param has the versions that its node had
   */
  public record Checkpoint(
      String tenant,
      String name,
      Optional<String> type,
      Optional<String> id,
      Instant at,
      String by,
      String reason,
      VersionVector has) {
    public Checkpoint {
      if (id.isPresent() && type.isEmpty()) {
        throw new IllegalArgumentException("a record has a type");
      }
    }

    /** Whether it covers a record. */
    public boolean covers(RecordKey key) {
      return key.tenant().equals(tenant)
          && type.stream().allMatch(key.type()::equals)
          && id.stream().allMatch(key.id()::equals);
    }

    private JsonObject toJson() {
      Map<String, Json> members = new TreeMap<>();
      members.put("tenant", Json.of(tenant));
      members.put("name", Json.of(name));
      type.ifPresent(value -> members.put("type", Json.of(value)));
      id.ifPresent(value -> members.put("id", Json.of(value)));
      members.put("at", Json.of(at.toString()));
      members.put("by", Json.of(by));
      members.put("reason", Json.of(reason));
      members.put("has", Retention.vectorJson(has));
      return JsonObject.of(members);
    }

    /** What another node wrote may be anything; what is no checkpoint is none. */
    private static Optional<Checkpoint> of(Json data) {
      if (!(data instanceof JsonObject whole) || !(whole.get(CONTENT) instanceof JsonObject said)) {
        return Optional.empty();
      }
      try {
        return Optional.of(
            new Checkpoint(
                said.text("tenant").orElse(""),
                said.text("name").orElse(""),
                said.text("type"),
                said.text("id"),
                Instant.parse(said.text("at").orElse("")),
                said.text("by").orElse(""),
                said.text("reason").orElse(""),
                Retention.vector(said.get("has"))));
      } catch (DateTimeParseException | IllegalArgumentException e) {
        return Optional.empty();
      }
    }
  }

  private static RecordKey key(String tenant, String name) {
    byte[] bytes = (tenant + '\0' + name).getBytes(StandardCharsets.UTF_8);
    return new RecordKey(Registry.TENANT, TYPE, Hashes.hex(bytes).substring(0, 32));
  }

  /**
   * Creates one of what this node has now.
   *
   * @throws IllegalStateException where the tenant has one of that name, or has too many
   */
  public CompletableFuture<Outcome> create(
      String tenant,
      String name,
      Optional<String> type,
      Optional<String> id,
      String by,
      String reason) {
    if (find(tenant, name).isPresent()) {
      throw new IllegalStateException("there is a checkpoint \"" + name + "\" already");
    }
    if (of(tenant).size() >= PER_TENANT_MAX) {
      throw new IllegalStateException(
          "this tenant has " + PER_TENANT_MAX + " checkpoints already; delete some");
    }
    Instant now = Instant.ofEpochMilli(node.nowMillis());
    Checkpoint made = new Checkpoint(tenant, name, type, id, now, by, reason, node.known());
    Edit put = new Edit.Put(JsonObject.of(CONTENT, made.toJson()));
    return node.write(WriteRequest.of(key(tenant, name), put, new Seen.Everything(), by));
  }

  /** Deletes one; what it kept from being removed may go again. */
  public CompletableFuture<Outcome> delete(String tenant, String name, String by) {
    return node.write(
        WriteRequest.of(key(tenant, name), new Edit.Delete(), new Seen.Everything(), by));
  }

  /** One of a tenant. */
  public Optional<Checkpoint> find(String tenant, String name) {
    return Checkpoint.of(node.read(key(tenant, name)).view().data())
        .filter(found -> found.tenant().equals(tenant) && found.name().equals(name));
  }

  /** Those of a tenant, the latest first. */
  public List<Checkpoint> of(String tenant) {
    List<Checkpoint> found = new ArrayList<>();
    for (RecordKey key : node.records(Registry.TENANT, TYPE, Optional.empty(), LISTED_MAX)) {
      Checkpoint.of(node.read(key).view().data())
          .filter(one -> one.tenant().equals(tenant))
          .ifPresent(found::add);
    }
    found.sort(Comparator.comparing(Checkpoint::at).thenComparing(Checkpoint::name).reversed());
    return found;
  }

  /** Whether a version is later than some checkpoint of its record, which then needs it apart. */
  BiPredicate<RecordKey, Dot> needed(String tenant) {
    List<Checkpoint> all = of(tenant);
    return (key, dot) -> all.stream().anyMatch(one -> one.covers(key) && !one.has().contains(dot));
  }

  /**
   * A record as it was.
   *
   * @throws PrunedException where what it held was erased since, or went before the checkpoint was
   *     known here
   */
  public Snapshot read(Checkpoint checkpoint, RecordKey key) {
    return node.readThrough(key, checkpoint.has());
  }

  /** Whether this node has all that a checkpoint covers. */
  public boolean isComplete(Checkpoint checkpoint) {
    return node.known().dominates(checkpoint.has());
  }

  /** The types that a checkpoint covers, among those that this node has records of. */
  public Stream<String> types(Checkpoint checkpoint) {
    return checkpoint
        .type()
        .map(Stream::of)
        .orElseGet(() -> node.types(checkpoint.tenant()).stream());
  }
}
