// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.engine.NodeStoppedException;
import dev.entente.engine.OverloadedException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Drives the links of a cluster, each on a virtual thread of its own, so that one that is slow or
 * gone keeps no other waiting. A link asks again only after it has taken the last reply: what comes
 * is never more than one reply a link.
 */
public final class ClusterRunner implements AutoCloseable {
  private static final Logger LOG = System.getLogger(ClusterRunner.class.getName());
  private static final long LOOK_MILLIS = 100;

  private final Cluster cluster;
  private final Transport transport;
  private final LongSupplier steadyMillis;
  private final Map<Link, Thread> threads = new ConcurrentHashMap<>();
  private final Thread supervisor;

  private ClusterRunner(Cluster cluster, Transport transport, LongSupplier steadyMillis) {
    this.cluster = cluster;
    this.transport = transport;
    this.steadyMillis = steadyMillis;
    this.supervisor = Thread.ofVirtual().name("entente-cluster").unstarted(this::supervise);
  }

  /** Starts to pull from all members, those to come included. */
  public static ClusterRunner start(
      Cluster cluster, Transport transport, LongSupplier steadyMillis) {
    ClusterRunner runner = new ClusterRunner(cluster, transport, steadyMillis);
    runner.supervisor.start();
    return runner;
  }

  private void supervise() {
    try {
      while (true) {
        for (Link link : cluster.links()) {
          threads.compute(link, (_, thread) -> isDriving(thread) ? thread : driving(link));
        }
        threads.keySet().removeIf(link -> !cluster.links().contains(link));
        Thread.sleep(LOOK_MILLIS);
      }
    } catch (InterruptedException e) {
      threads.values().forEach(Thread::interrupt);
    }
  }

  private static boolean isDriving(@Nullable Thread thread) {
    return thread != null && thread.isAlive();
  }

  private Thread driving(Link link) {
    return Thread.ofVirtual().name("entente-link " + link.url()).start(() -> drive(link));
  }

  private void drive(Link link) {
    try {
      while (cluster.links().contains(link)) {
        long wait = link.isCut() ? LOOK_MILLIS : link.nextAtMillis() - steadyMillis.getAsLong();
        if (wait > 0) {
          Thread.sleep(wait);
          continue;
        }
        ask(link);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (NodeStoppedException e) {
      LOG.log(Level.DEBUG, "the node has stopped; it asks no other node any more");
    }
  }

  private void ask(Link link) throws InterruptedException {
    PullRequest request = link.request(cluster.members());
    try {
      PullReply reply = transport.pull(link.url(), request);
      Optional<String> removed = cluster.whyRemoved(reply.shipment().from());
      if (removed.isPresent()) {
        link.failed(removed.get(), steadyMillis.getAsLong());
      } else if (!link.isCut()) {
        cluster.heard(request, reply);
        link.replied(request, reply, steadyMillis.getAsLong());
      }
    } catch (IOException e) {
      link.failed(String.valueOf(e.getMessage()), steadyMillis.getAsLong());
    } catch (OverloadedException e) {
      link.failed("this node is busy; it goes on later", steadyMillis.getAsLong());
    } catch (NodeStoppedException e) {
      throw e;
    } catch (RuntimeException e) {
      failed(link, e);
    }
  }

  /** Whatever it is, the link is tried again: what it brings may be had from nobody else. */
  private void failed(Link link, RuntimeException e) {
    Throwable cause = e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
    if (cause instanceof NodeStoppedException stopped) {
      throw stopped;
    }
    LOG.log(Level.ERROR, "what " + link.url() + " sent could not be taken", cause);
    link.failed("what came could not be taken: " + cause.getMessage(), steadyMillis.getAsLong());
  }

  @Override
  public void close() {
    supervisor.interrupt();
    try {
      supervisor.join();
      for (Thread thread : threads.values()) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
