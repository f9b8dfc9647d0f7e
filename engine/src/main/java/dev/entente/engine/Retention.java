// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.WriteRequest.Seen;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/**
 * For how long versions and decided reviews of a tenant are kept, and letting go of those that are
 * older once every node has them.
 *
 * <p>Each node says what it has in a record of the {@link Registry}. Records travel in causal
 * order: whoever has that record has all that its author wrote before it. So what all members say
 * they have is causally stable, whichever way it came. Thread-safe.
 */
public final class Retention {
  private static final String TYPE = "retention";
  private static final String DAYS = "days";
  static final String KNOWLEDGE = "knowledge";
  private static final String HAS = "has";

  /** Longer than anybody means. */
  public static final int DAYS_MAX = 36_500;

  private final Node node;
  private final int defaultDays;

  /**
   * Of a node.
   *
   * @param defaultDays for tenants that say nothing else; 0 keeps all
   */
  public Retention(Node node, int defaultDays) {
    this.node = node;
    this.defaultDays = defaultDays;
  }

  private static RecordKey key(String tenant) {
    return new RecordKey(Registry.TENANT, TYPE, tenant);
  }

  private static RecordKey knowledge(NodeId node) {
    return new RecordKey(Registry.TENANT, KNOWLEDGE, node.value());
  }

  /** For how many days a tenant's versions are kept; 0 where for good. */
  public int days(String tenant) {
    return node.read(key(tenant)).view().data() instanceof JsonObject said
            && said.get(DAYS) instanceof JsonNumber days
        ? Math.clamp(days.longValue(), 0, DAYS_MAX)
        : defaultDays;
  }

  /** Whether a tenant has said so itself. */
  public boolean isOwn(String tenant) {
    return node.read(key(tenant)).view().exists();
  }

  /**
   * Sets for how many days a tenant's versions are kept, at all nodes.
   *
   * @param days 0 for good
   * @throws IllegalArgumentException where that is negative or over {@link #DAYS_MAX}
   */
  public CompletableFuture<Outcome> set(String tenant, int days, String by) {
    if (days < 0 || days > DAYS_MAX) {
      throw new IllegalArgumentException("days are 0, for good, to " + DAYS_MAX);
    }
    Edit put = new Edit.Put(JsonObject.of(DAYS, Json.of(days)));
    return node.write(WriteRequest.of(key(tenant), put, new Seen.Everything(), by));
  }

  /** Goes back to what the node keeps by default. */
  public CompletableFuture<Outcome> reset(String tenant, String by) {
    return node.write(WriteRequest.of(key(tenant), new Edit.Delete(), new Seen.Everything(), by));
  }

  /**
   * Says what this node has, for the others to know; nothing where that is what it said last.
   *
   * @param members the nodes that have not left for good; none while they are not known, and then
   *     this does nothing
   */
  public void tell(List<NodeId> members) {
    if (members.isEmpty()) {
      return;
    }
    node.learnOfFormer(members);
    VersionVector known = node.known();
    // What it said of itself is the last thing that it knows; that alone is no news.
    VersionVector said = said(node.id()).orElse(VersionVector.EMPTY);
    boolean news =
        known.entries().keys().stream()
            .anyMatch(of -> known.get(of) > said.get(of) + (of.equals(node.id()) ? 1 : 0));
    if (news) {
      Map<String, Json> has = new TreeMap<>();
      known.entries().forEach((of, number) -> has.put(of.value(), Json.of(number)));
      Edit put = new Edit.Put(JsonObject.of(HAS, JsonObject.of(has)));
      node.write(
              WriteRequest.of(knowledge(node.id()), put, new Seen.Everything(), Proceedings.POLICY))
          .join();
    }
  }

  /** What a node has said that it has; empty where it has said nothing. */
  private Optional<VersionVector> said(NodeId who) {
    if (!(node.read(knowledge(who)).view().data() instanceof JsonObject said)
        || !(said.get(HAS) instanceof JsonObject has)) {
      return Optional.empty();
    }
    NavigableMap<NodeId, Long> known = new TreeMap<>();
    has.members()
        .forEach((of, number) -> {
          if (number instanceof JsonNumber up && up.longValue() > 0) {
            known.put(new NodeId(of), up.longValue());
          }
        });
    return Optional.of(VersionVector.of(known));
  }

  /**
   * What every member has.
   *
   * @param members all nodes that have not left for good, this one included; none while they are
   *     not known, and then nothing is stable
   */
  public VersionVector stable(List<NodeId> members) {
    if (members.isEmpty()) {
      return VersionVector.EMPTY;
    }
    VersionVector known = node.known();
    NavigableMap<NodeId, Long> stable = new TreeMap<>();
    known.entries().forEach(stable::put);
    for (NodeId member : members) {
      if (!member.equals(node.id())) {
        VersionVector theirs = said(member).orElse(VersionVector.EMPTY);
        stable.replaceAll((of, number) -> Math.min(number, theirs.get(of)));
      }
    }
    stable.values().removeIf(number -> number == 0);
    return VersionVector.of(stable);
  }

  /** Whether this node has said that it has a version. */
  public boolean hasTold(Dot dot) {
    return hasTold(node.id(), dot);
  }

  private boolean hasTold(NodeId who, Dot dot) {
    return said(who).filter(has -> has.contains(dot)).isPresent();
  }

  /** The members that have not said that they have a version. */
  public List<NodeId> without(Dot dot, List<NodeId> members) {
    List<NodeId> without = new ArrayList<>(members);
    without.removeIf(member -> member.equals(node.id()) || hasTold(member, dot));
    return without;
  }

  /** The members that have not said yet what they have; nothing is let go until they do. */
  public List<NodeId> silent(List<NodeId> members) {
    List<NodeId> silent = new ArrayList<>(members);
    silent.removeIf(member -> member.equals(node.id()) || said(member).isPresent());
    return silent;
  }

  /** The moment before which a tenant's versions are too old by now; empty where none is. */
  public Optional<Instant> before(String tenant) {
    int days = days(tenant);
    return days == 0
        ? Optional.empty()
        : Optional.of(Instant.ofEpochMilli(node.nowMillis()).minus(Duration.ofDays(days)));
  }

  /**
   * Lets go of what was accepted in a tenant before a moment, or only looks.
   *
   * @param stable see {@link #stable}
   * @param steps asked after each stretch, whether to go on
   */
  public Pruned run(
      String tenant, Instant before, VersionVector stable, boolean dryRun, Steps steps) {
    Pruned all = node.prune(tenant, before, stable, 0, dryRun);
    while (all.next() > 0 && steps.goOn(all)) {
      all = all.and(node.prune(tenant, before, stable, all.next(), dryRun));
    }
    if (!dryRun) {
      node.forgetReviews(tenant, before);
    }
    return all;
  }

  /** Hears how far it is; says whether to go on. */
  @FunctionalInterface
  public interface Steps {
    boolean goOn(Pruned soFar);
  }
}
