// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.recovery;

import dev.entente.engine.Node;
import dev.entente.engine.NodeStoppedException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/**
 * The long work of a node, each on a thread of its own. How each ended goes to the audit log; the
 * last are remembered until the process ends. Thread-safe.
 */
public final class Jobs implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Jobs.class.getName());
  private static final int KEPT_MAX = 1_000;

  /** How long each is waited for when the node stops. */
  private static final Duration END = Duration.ofSeconds(5);

  private static final int RUNNING_MAX = 20;

  private final Node node;
  private final ConcurrentSkipListMap<String, Job> jobs = new ConcurrentSkipListMap<>();
  private final Set<Thread> threads = ConcurrentHashMap.newKeySet();
  private final AtomicLong number = new AtomicLong();

  public Jobs(Node node) {
    this.node = node;
  }

  /** What a job does; it looks at {@link Job#isStopping} between one thing and the next. */
  @FunctionalInterface
  public interface Work {
    void on(Job job);
  }

  /**
   * Begins a job.
   *
   * @param allowed whether whoever begins it may still do so; {@link #look} has it stop otherwise
   * @throws IllegalStateException where too many run already
   */
  public Job begin(Job.Order order, BooleanSupplier allowed, Work work) {
    long running = jobs.values().stream().filter(j -> j.state() == Job.State.RUNNING).count();
    if (running >= RUNNING_MAX) {
      throw new IllegalStateException(RUNNING_MAX + " jobs run already; wait, or stop one");
    }
    long now = node.nowMillis();
    String id = String.format("%013d-%04d", now, number.incrementAndGet() % 10_000);
    Job job = new Job(id, order, allowed, now);
    jobs.put(id, job);
    while (jobs.size() > KEPT_MAX) {
      jobs.pollFirstEntry();
    }
    Thread thread =
        Thread.ofVirtual().name("entente-" + order.kind()).unstarted(() -> run(job, work));
    threads.add(thread);
    thread.start();
    return job;
  }

  /** Has those stop whose beginner has lost what allowed them to begin it. */
  public void look() {
    jobs.values().stream()
        .filter(job -> job.state() == Job.State.RUNNING && !job.isAllowed())
        .forEach(job -> job.stop("whoever began it may not do so any more"));
  }

  private void run(Job job, Work work) {
    try {
      work(job, work);
    } finally {
      threads.remove(Thread.currentThread());
    }
  }

  private void work(Job job, Work work) {
    try {
      work.on(job);
      job.end(job.isStopping() ? Job.State.STOPPED : Job.State.DONE, node.nowMillis());
    } catch (RuntimeException e) {
      LOG.log(Level.WARNING, "the job " + job.id() + " failed", e);
      job.stop(String.valueOf(e.getMessage()));
      job.end(Job.State.FAILED, node.nowMillis());
    }
    try {
      node.account("job", job.tenant() + "/" + job.subject(), job.toJson()).join();
    } catch (NodeStoppedException e) {
      LOG.log(Level.DEBUG, "the node has stopped", e);
    }
  }

  /** A job of a tenant. */
  public Optional<Job> get(String tenant, String id) {
    return Optional.ofNullable(jobs.get(id)).filter(job -> job.tenant().equals(tenant));
  }

  /** The jobs of a tenant, the latest first. */
  public List<Job> list(String tenant) {
    List<Job> mine = new ArrayList<>(jobs.values());
    mine.removeIf(job -> !job.tenant().equals(tenant));
    mine.sort(Comparator.comparing(Job::id).reversed());
    return mine;
  }

  /** Has all that run stop, and waits for that: what they use is closed next. */
  @Override
  public void close() {
    jobs.values().forEach(Job::stop);
    try {
      for (Thread thread : List.copyOf(threads)) {
        if (!thread.join(END)) {
          LOG.log(Level.WARNING, "has not ended in time: " + thread.getName());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
