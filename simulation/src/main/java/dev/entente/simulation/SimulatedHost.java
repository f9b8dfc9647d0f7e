// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import dev.entente.cluster.CoordinatorHost;
import dev.entente.cluster.Wire;
import dev.entente.cluster.group.NotLeadingException;
import dev.entente.core.causality.VersionVector;
import dev.entente.engine.Node;
import dev.entente.engine.codec.LockCodec;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;

/** Calls between coordinators over the simulated network, and waiting in simulated time. */
final class SimulatedHost implements CoordinatorHost {
  private static final long ANSWER_MILLIS = 300;
  private static final long LOOK_MILLIS = 10;

  private final World world;
  private final SimulatedNetwork network;
  private final Function<String, SimulatedNode> machines;
  private final String name;
  private final Node node;
  private final Mutant mutant;

  SimulatedHost(
      World world,
      SimulatedNetwork network,
      Function<String, SimulatedNode> machines,
      String name,
      Node node,
      Mutant mutant) {
    this.world = world;
    this.network = network;
    this.machines = machines;
    this.name = name;
    this.node = node;
    this.mutant = mutant;
  }

  @Override
  public CompletableFuture<byte[]> get(String url, String question) {
    if (!question.equals("known")) {
      throw new IllegalArgumentException("nobody answers " + question);
    }
    return mutant == Mutant.UNASKED_QUORUM
        ? CompletableFuture.completedFuture(Wire.toBytes(VersionVector.EMPTY))
        : call(
            url,
            process -> CompletableFuture.completedFuture(Wire.toBytes(process.node().known())));
  }

  @Override
  public CompletableFuture<byte[]> post(
      String url, String what, byte[] body, Optional<String> credential) {
    if (!what.equals("lock")) {
      throw new IllegalArgumentException("nobody does " + what);
    }
    return call(
        url,
        process -> process.group().lock(LockCodec.command(body)).thenApply(LockCodec::toBytes));
  }

  private CompletableFuture<byte[]> call(
      String url, Function<SimulatedNode.Running, CompletableFuture<byte[]>> ask) {
    CompletableFuture<byte[]> answer = new CompletableFuture<>();
    SimulatedNode other = machines.apply(url.substring("http://".length()));
    network.send(
        name,
        other.name(),
        () -> {
          SimulatedNode.Running process = other.process();
          if (process == null || other.hasDied() || !other.isAwake()) {
            return;
          }
          CompletableFuture<byte[]> asked;
          try {
            asked = ask.apply(process);
          } catch (RuntimeException e) {
            asked = CompletableFuture.failedFuture(e);
          }
          var _ =
              asked.whenComplete((bytes, problem) ->
                  network.send(
                      other.name(),
                      name,
                      () -> {
                        Throwable cause =
                            problem instanceof CompletionException && problem.getCause() != null
                                ? problem.getCause()
                                : problem;
                        if (cause == null) {
                          answer.complete(bytes);
                        } else {
                          answer.completeExceptionally(
                              cause instanceof NotLeadingException not
                                  ? new NotLeadingException(not.leader())
                                  : new IOException("the other node failed", cause));
                        }
                      }));
        });
    world.in(
        ANSWER_MILLIS, () -> answer.completeExceptionally(new IOException("no answer in time")));
    return answer;
  }

  @Override
  public CompletableFuture<Boolean> awaitKnown(VersionVector wanted, long timeoutMillis) {
    CompletableFuture<Boolean> has = new CompletableFuture<>();
    look(wanted, world.nowMillis() + timeoutMillis, has);
    return has;
  }

  private void look(VersionVector wanted, long until, CompletableFuture<Boolean> has) {
    if (node.failure().isPresent() || world.nowMillis() >= until) {
      has.complete(false);
    } else if (node.known().dominates(wanted)) {
      has.complete(true);
    } else {
      world.in(LOOK_MILLIS, () -> look(wanted, until, has));
    }
  }

  @Override
  public <T> CompletableFuture<T> orAfter(
      CompletableFuture<T> future, long timeoutMillis, T otherwise) {
    if (mutant == Mutant.UNCOUNTED_COPIES && otherwise instanceof Boolean) {
      @SuppressWarnings("unchecked")
      T enough = (T) Boolean.TRUE;
      return CompletableFuture.completedFuture(enough);
    }
    return CoordinatorHost.super.orAfter(future, timeoutMillis, otherwise);
  }

  @Override
  public void after(long millis, Runnable action) {
    world.in(millis, action);
  }
}
