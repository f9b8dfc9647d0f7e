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
import java.util.function.BiPredicate;

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
  private static final String VERSIONS = "versions";
  static final String KNOWLEDGE = "knowledge";
  private static final String HAS = "has";

  /** Longer than anybody means. */
  public static final int DAYS_MAX = 36_500;

  /** The most versions of a record that retention by count can be told to keep. */
  public static final int VERSIONS_MAX = 10_000;

  /**
   * Versions beyond the number that is kept stay for so long all the same: a request that is sent
   * again is known by its version.
   */
  public static final Duration COUNTED_AGE_MIN = Duration.ofDays(1);

  private final Node node;
  private final ScopedCheckpoints checkpoints;
  private final int defaultDays;
  private final int defaultVersions;

  /**
   * Of a node.
   *
   * @param defaultDays for tenants that say nothing else; 0 keeps all
   */
  public Retention(Node node, int defaultDays) {
    this(node, defaultDays, 0);
  }

  /**
   * Of a node.
   *
   * @param defaultDays for tenants that say nothing else; 0 for any time
   * @param defaultVersions how many versions of a record are kept in tenants that say nothing else;
   *     0 for any number
   */
  public Retention(Node node, int defaultDays, int defaultVersions) {
    this.node = node;
    this.checkpoints = new ScopedCheckpoints(node);
    this.defaultDays = defaultDays;
    this.defaultVersions = defaultVersions;
  }

  /**
   * What is no longer kept: what was accepted before a moment, and of each record what is beyond so
   * many of the newest versions.
   *
   * @param before older versions go
   * @param versions how many versions of a record are kept; 0 for any number
   * @param versionsBefore only what was accepted before this goes because of the number
   */
  public record Limits(Optional<Instant> before, int versions, Instant versionsBefore) {
    /** Only by time. */
    public static Limits before(Instant moment) {
      return new Limits(Optional.of(moment), 0, Instant.EPOCH);
    }

    long beforeMillis() {
      return before.map(Instant::toEpochMilli).orElse(Long.MIN_VALUE);
    }

    /** What was accepted since then stays in any case. */
    long youngMillis() {
      return versions == 0
          ? beforeMillis()
          : Math.max(beforeMillis(), versionsBefore.toEpochMilli());
    }
  }

  private static RecordKey key(String tenant) {
    return new RecordKey(Registry.TENANT, TYPE, tenant);
  }

  private static RecordKey knowledge(NodeId node) {
    return new RecordKey(Registry.TENANT, KNOWLEDGE, node.value());
  }

  /** For how many days a tenant's versions are kept; 0 where for good. */
  public int days(String tenant) {
    return said(tenant, DAYS, DAYS_MAX).orElse(defaultDays);
  }

  /** How many versions of each record of a tenant are kept; 0 where any number. */
  public int versions(String tenant) {
    return said(tenant, VERSIONS, VERSIONS_MAX).orElse(defaultVersions);
  }

  private Optional<Integer> said(String tenant, String what, int max) {
    return node.read(key(tenant)).view().data() instanceof JsonObject said
            && said.get(what) instanceof JsonNumber number
        ? Optional.of(Math.clamp(number.longValue(), 0, max))
        : Optional.empty();
  }

  /** Whether a tenant has said so itself. */
  public boolean isOwn(String tenant) {
    return node.read(key(tenant)).view().exists();
  }

  /**
   * Sets for how many days a tenant's versions are kept, at all nodes, whatever their number.
   *
   * @param days 0 for good
   * @throws IllegalArgumentException where that is negative or over {@link #DAYS_MAX}
   */
  public CompletableFuture<Outcome> set(String tenant, int days, String by) {
    return set(tenant, days, 0, by);
  }

  /**
   * Sets for how many days a tenant's versions are kept and how many of each record, at all nodes.
   *
   * @param days 0 for any time
   * @param versions 0 for any number
   * @throws IllegalArgumentException where one is negative or too large
   */
  public CompletableFuture<Outcome> set(String tenant, int days, int versions, String by) {
    if (days < 0 || days > DAYS_MAX) {
      throw new IllegalArgumentException("days are 0, for good, to " + DAYS_MAX);
    }
    if (versions < 0 || versions > VERSIONS_MAX) {
      throw new IllegalArgumentException("versions are 0, for any number, to " + VERSIONS_MAX);
    }
    Edit put =
        new Edit.Put(JsonObject.of(Map.of(DAYS, Json.of(days), VERSIONS, Json.of(versions))));
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
      Edit put = new Edit.Put(JsonObject.of(HAS, vectorJson(known)));
      node.write(
              WriteRequest.of(knowledge(node.id()), put, new Seen.Everything(), Proceedings.POLICY))
          .join();
    }
  }

  /** What a node has said that it has; empty where it has said nothing. */
  private Optional<VersionVector> said(NodeId who) {
    return node.read(knowledge(who)).view().data() instanceof JsonObject said
            && said.get(HAS) instanceof JsonObject has
        ? Optional.of(vector(has))
        : Optional.empty();
  }

  /** What a node has, as its records say it. */
  static Json vectorJson(VersionVector known) {
    Map<String, Json> has = new TreeMap<>();
    known.entries().forEach((of, number) -> has.put(of.value(), Json.of(number)));
    return JsonObject.of(has);
  }

  /** Reads what {@link #vectorJson} wrote. */
  static VersionVector vector(Json said) {
    NavigableMap<NodeId, Long> known = new TreeMap<>();
    if (said instanceof JsonObject has) {
      has.members()
          .forEach((of, number) -> {
            if (number instanceof JsonNumber up && up.longValue() > 0) {
              known.put(new NodeId(of), up.longValue());
            }
          });
    }
    return VersionVector.of(known);
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

  /** What of a tenant's versions is no longer kept by now; empty where all are. */
  public Optional<Limits> limits(String tenant) {
    int days = days(tenant);
    int versions = versions(tenant);
    Instant now = Instant.ofEpochMilli(node.nowMillis());
    return days == 0 && versions == 0
        ? Optional.empty()
        : Optional.of(
            new Limits(
                Optional.of(days)
                    .filter(set -> set > 0)
                    .map(set -> now.minus(Duration.ofDays(set))),
                versions,
                now.minus(COUNTED_AGE_MIN)));
  }

  /** The same, for what was accepted before a moment. */
  public Pruned run(
      String tenant, Instant before, VersionVector stable, boolean dryRun, Steps steps) {
    return run(tenant, Limits.before(before), stable, dryRun, steps);
  }

  /**
   * Lets go of what a tenant no longer keeps, or only looks. What a checkpoint needs stays.
   *
   * @param stable see {@link #stable}
   * @param steps asked after each stretch, whether to go on
   */
  public Pruned run(
      String tenant, Limits limits, VersionVector stable, boolean dryRun, Steps steps) {
    BiPredicate<RecordKey, Dot> needed = checkpoints.needed(tenant);
    Pruned all = node.prune(tenant, limits, stable, needed, 0, dryRun);
    while (all.next() > 0 && steps.goOn(all)) {
      all = all.and(node.prune(tenant, limits, stable, needed, all.next(), dryRun));
    }
    if (!dryRun) {
      limits.before().ifPresent(before -> node.forgetReviews(tenant, before));
    }
    return all;
  }

  /** Hears how far it is; says whether to go on. */
  @FunctionalInterface
  public interface Steps {
    boolean goOn(Pruned soFar);
  }
}
