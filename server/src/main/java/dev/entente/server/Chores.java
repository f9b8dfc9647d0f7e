// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.UnavailableException;
import dev.entente.engine.NodeStoppedException;
import dev.entente.engine.OverloadedException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;

/** What is done over and over until the server ends, each on a virtual thread of its own. */
final class Chores implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Chores.class.getName());

  /** How long each of them is waited for when the server ends. */
  private static final Duration END = Duration.ofSeconds(5);

  /** One of them; may wait. */
  @FunctionalInterface
  interface Chore {
    void run() throws InterruptedException;
  }

  private final List<Thread> threads = new ArrayList<>();

  /** Begins another. What fails is told and tried again after the pause. */
  void every(Duration pause, String name, Chore chore) {
    threads.add(Thread.ofVirtual().name("entente-" + name).start(() -> repeat(pause, name, chore)));
  }

  private static void repeat(Duration pause, String name, Chore chore) {
    try {
      while (true) {
        Thread.sleep(pause);
        try {
          chore.run();
        } catch (UnavailableException | OverloadedException e) {
          LOG.log(Level.DEBUG, "busy, or nobody answers; tried again: " + name, e);
        } catch (CompletionException e) {
          if (e.getCause() instanceof NodeStoppedException stopped) {
            throw stopped;
          }
          boolean passes =
              e.getCause() instanceof UnavailableException
                  || e.getCause() instanceof OverloadedException;
          LOG.log(passes ? Level.DEBUG : Level.ERROR, "failed, and is tried again: " + name, e);
        } catch (NodeStoppedException e) {
          throw e;
        } catch (RuntimeException e) {
          LOG.log(Level.ERROR, "failed, and is tried again: " + name, e);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (NodeStoppedException e) {
      LOG.log(Level.DEBUG, "the node has stopped; ended: " + name);
    }
  }

  /** Has them end, and waits for that: what they use is closed next. */
  @Override
  public void close() {
    threads.forEach(Thread::interrupt);
    try {
      for (Thread thread : threads) {
        if (!thread.join(END)) {
          LOG.log(Level.WARNING, "has not ended in time: " + thread.getName());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
