// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;

/** Puts policies in force: one's own with a stamp, those of other nodes where they are later. */
final class Enactment {
  /** How many warnings a policy is answered with. */
  private static final int WARNINGS_MAX = 100;

  private final Policies policies;
  private final Claims claims;
  private final Sequencer sequencer;
  private final LongSupplier nowMillis;

  Enactment(Policies policies, Claims claims, Sequencer sequencer, LongSupplier nowMillis) {
    this.policies = policies;
    this.claims = claims;
    this.sequencer = sequencer;
    this.nowMillis = nowMillis;
  }

  CompletableFuture<List<PolicyProblem>> put(
      String tenant, String text, PolicyLoader.Loaded loaded, String actor) {
    String type = loaded.policy().type();
    return sequencer
        .submit(transaction -> {
          HybridTime stamp = transaction.clock().next();
          StampedPolicy policy = new StampedPolicy(tenant, type, stamp, transaction.self(), text);
          enact(transaction, policy, loaded, actor);
          return loaded.warnings();
        })
        .thenCompose(warnings -> withClaims(tenant, loaded.policy(), warnings));
  }

  /** A policy as it would be put here now, for others to agree on first. */
  CompletableFuture<StampedPolicy> stamp(String tenant, String type, String text) {
    return sequencer.submit(transaction ->
        new StampedPolicy(tenant, type, transaction.clock().next(), transaction.self(), text));
  }

  CompletableFuture<Boolean> adopt(StampedPolicy told, String actor) throws PolicyException {
    PolicyLoader.Loaded loaded = PolicyLoader.loadInForce(told.text());
    if (!loaded.policy().type().equals(told.type())) {
      throw new IllegalArgumentException("a policy for " + told.type() + " says another type");
    }
    if (told.tenant().equals(Registry.TENANT)) {
      throw new IllegalArgumentException(
          "a policy for " + told.type() + " of the reserved tenant, where only releases set them");
    }
    long now = nowMillis.getAsLong();
    return sequencer
        .submit(transaction -> {
          boolean news =
              Policies.isNews(transaction, told) && transaction.clock().observe(told.stamp(), now);
          if (news) {
            enact(transaction, told, loaded, actor);
          }
          return news;
        })
        .thenCompose(news ->
            news
                ? withClaims(told.tenant(), loaded.policy(), List.of()).thenApply(_ -> true)
                : CompletableFuture.completedFuture(false));
  }

  private void enact(
      Transaction transaction, StampedPolicy policy, PolicyLoader.Loaded loaded, String actor) {
    Policies.put(transaction, policy);
    Map<String, Json> detail = new TreeMap<>();
    detail.put("version", Json.of(loaded.policy().version()));
    detail.put("text", Json.of(policy.text()));
    detail.put("node", Json.of(policy.node().value()));
    if (!loaded.warnings().isEmpty()) {
      detail.put(
          "warnings", Json.of(loaded.warnings().stream().map(w -> Json.of(w.toString())).toList()));
    }
    transaction.audit(
        transaction.clock().next(),
        policy.tenant(),
        actor,
        "policy",
        policy.type(),
        JsonObject.of(detail));
    if (!loaded.policy().limits().isEmpty()) {
      claims.setDue(transaction, policy.tenant(), policy.type());
    }
    transaction.afterwards(
        () -> policies.activate(policy.tenant(), loaded.policy(), policy.text()));
  }

  /** Works out the claims under a policy that is in force now, so that none is missed. */
  private CompletableFuture<List<PolicyProblem>> withClaims(
      String tenant, Policy policy, List<PolicyProblem> warnings) {
    if (policy.limits().isEmpty()) {
      return CompletableFuture.completedFuture(warnings);
    }
    return sequencer.submit(transaction -> {
      List<PolicyProblem> all = new ArrayList<>(warnings);
      for (String exceeded : claims.rebuild(transaction, tenant, policy, nowMillis.getAsLong())) {
        if (all.size() < WARNINGS_MAX) {
          all.add(new PolicyProblem(1, 1, exceeded));
        }
      }
      return all;
    });
  }
}
