// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.cluster.group.NotLeadingException;
import dev.entente.core.causality.VersionVector;
import dev.entente.engine.Node;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * What {@link Authority} has its host do: calls to other nodes, and waiting. Nothing in it blocks,
 * so a simulation decides when each of them completes. Implementations are thread-safe.
 */
public interface CoordinatorHost {
  /**
   * Asks a node for something that it tells other nodes.
   *
   * @param question the path behind {@code /v1/cluster/}
   * @return fails with {@link IOException} where no whole answer came
   */
  CompletableFuture<byte[]> get(String url, String question);

  /**
   * Has a node do something for this one.
   *
   * @param what the path behind {@code /v1/cluster/}
   * @param credential what the client showed for whom this node asks; empty where it asks for
   *     itself
   * @return fails with {@link IOException} where no whole answer came and it may have been done,
   *     with {@link RefusedException} where the node does not do it, with {@link
   *     NotLeadingException} where nothing was done
   */
  CompletableFuture<byte[]> post(String url, String what, byte[] body, Optional<String> credential);

  /** Completes once this node's readers see all that a vector names; with false after a time. */
  CompletableFuture<Boolean> awaitKnown(VersionVector wanted, long timeoutMillis);

  /** Runs something once a time is over. */
  void after(long millis, Runnable action);

  /** A future that completes as another does, or with a value once a time is over. */
  default <T> CompletableFuture<T> orAfter(
      CompletableFuture<T> future, long timeoutMillis, T otherwise) {
    if (!future.isDone()) {
      after(timeoutMillis, () -> future.complete(otherwise));
    }
    return future;
  }

  /** The host of a running node: each call waits on a virtual thread of its own. */
  static CoordinatorHost of(Node node, Transport transport) {
    return new CoordinatorHost() {
      @Override
      public CompletableFuture<byte[]> get(String url, String question) {
        return onThread(() -> transport.get(url, node.id(), question));
      }

      @Override
      public CompletableFuture<byte[]> post(
          String url, String what, byte[] body, Optional<String> credential) {
        return onThread(() -> transport.post(url, node.id(), what, body, credential));
      }

      @Override
      public CompletableFuture<Boolean> awaitKnown(VersionVector wanted, long timeoutMillis) {
        return onThread(() -> node.awaitKnown(wanted, timeoutMillis));
      }

      @Override
      public void after(long millis, Runnable action) {
        CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS).execute(action);
      }
    };
  }

  /** Something that waits. */
  @FunctionalInterface
  interface Blocking<T> {
    /** Waits for its result. */
    T call() throws IOException, InterruptedException;
  }

  private static <T> CompletableFuture<T> onThread(Blocking<T> call) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            result.complete(call.call());
          } catch (IOException | RuntimeException e) {
            result.completeExceptionally(e);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            result.completeExceptionally(e);
          }
        });
    return result;
  }
}
