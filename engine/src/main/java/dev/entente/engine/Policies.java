// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.policy.Limit;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** The policies in force, compiled. Thread-safe. */
final class Policies {
  private static final int COMPILED_MAX = 10_000;

  private record Scope(String tenant, String type) {}

  /** A policy, its text, and its version. */
  record InForce(Policy policy, String text) {}

  private final Store store;
  private final Map<Scope, InForce> compiled = new ConcurrentHashMap<>();

  /** By tenant, then by the type whose records hold the caps. */
  private final Map<String, Map<String, List<Capped>>> capped = new ConcurrentHashMap<>();

  Policies(Store store) {
    this.store = store;
  }

  Policy inForce(String tenant, String type) {
    return get(tenant, type).policy();
  }

  InForce get(String tenant, String type) {
    Scope scope = new Scope(tenant, type);
    InForce known = compiled.get(scope);
    if (known != null) {
      return known;
    }
    byte[] bytes = store.get(Table.POLICIES, Keys.of(tenant, type));
    if (bytes == null) {
      Policy policy =
          tenant.equals(Registry.TENANT) ? Registry.policy(type) : Policy.undeclared(type);
      InForce undeclared = new InForce(policy, "");
      if (compiled.size() < COMPILED_MAX) {
        compiled.putIfAbsent(scope, undeclared);
      }
      return undeclared;
    }
    InForce loaded = load(new String(bytes, StandardCharsets.UTF_8));
    compiled.putIfAbsent(scope, loaded);
    return loaded;
  }

  private static InForce load(String text) {
    try {
      return new InForce(PolicyLoader.loadInForce(text).policy(), text);
    } catch (PolicyException e) {
      throw new IllegalStateException(
          "a policy that was accepted no longer loads: " + e.getMessage(), e);
    }
  }

  /** Puts a policy in force; after its text is durable. */
  void activate(String tenant, Policy policy, String text) {
    compiled.put(new Scope(tenant, policy.type()), new InForce(policy, text));
    capped.remove(tenant);
  }

  Optional<String> text(String tenant, String type) {
    String text = get(tenant, type).text();
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }

  /** A limit, with its policy, whose cap is held by records of another type. */
  record Capped(Policy policy, Limit limit) {}

  /** The limits whose caps the records of a type hold. */
  List<Capped> cappedBy(String tenant, String type) {
    boolean full = capped.size() >= COMPILED_MAX && !capped.containsKey(tenant);
    Map<String, List<Capped>> known =
        full ? capped(tenant) : capped.computeIfAbsent(tenant, this::capped);
    return known.getOrDefault(type, List.of());
  }

  private Map<String, List<Capped>> capped(String tenant) {
    Map<String, List<Capped>> byHolder = new TreeMap<>();
    for (String type : types(tenant)) {
      Policy policy = inForce(tenant, type);
      for (Limit limit : policy.limits()) {
        if (limit.cap() instanceof Limit.Cap.Held held) {
          byHolder
              .computeIfAbsent(held.type(), _ -> new ArrayList<>())
              .add(new Capped(policy, limit));
        }
      }
    }
    return byHolder;
  }

  private static byte[] stampKey(String tenant, String type) {
    return Keys.of("policy", tenant, type);
  }

  /** Writes a policy's text and stamp, to be put in force once they are durable. */
  static void put(Transaction transaction, StampedPolicy policy) {
    transaction.put(
        Table.POLICIES,
        Keys.of(policy.tenant(), policy.type()),
        policy.text().getBytes(StandardCharsets.UTF_8));
    transaction.put(
        Table.META,
        stampKey(policy.tenant(), policy.type()),
        new ByteWriter().u64(policy.stamp().packed()).text(policy.node().value()).toBytes());
  }

  /** Whether a policy of another node is later than what this one has. */
  static boolean isNews(Transaction transaction, StampedPolicy told) {
    byte[] stamp = transaction.get(Table.META, stampKey(told.tenant(), told.type()));
    return stamp == null || told.isAfter(stamped(told.tenant(), told.type(), stamp, ""));
  }

  private static StampedPolicy stamped(String tenant, String type, byte[] stamp, String text) {
    ByteReader in = new ByteReader(stamp);
    return new StampedPolicy(tenant, type, new HybridTime(in.u64()), new NodeId(in.text()), text);
  }

  /** All policies with their stamps, of all tenants, in order. */
  List<StampedPolicy> all() {
    List<StampedPolicy> all = new ArrayList<>();
    store.scan(
        Table.POLICIES,
        new byte[0],
        (key, text) -> {
          String type = Keys.lastName(key);
          String tenant = Keys.firstName(key);
          byte[] stamp = store.get(Table.META, stampKey(tenant, type));
          if (stamp != null) {
            all.add(stamped(tenant, type, stamp, new String(text, StandardCharsets.UTF_8)));
          }
          return true;
        });
    return all;
  }

  List<String> types(String tenant) {
    List<String> types = new ArrayList<>();
    byte[] prefix = Keys.of(tenant);
    store.scan(
        Table.POLICIES,
        prefix,
        (key, _) -> {
          types.add(Keys.lastName(key));
          return true;
        });
    return types;
  }
}
