// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/** Writers that each wait for their answer before they send again, for a while. */
public final class ClosedLoop {
  private ClosedLoop() {}

  /** What one writer does, over and over. */
  @FunctionalInterface
  public interface Work extends AutoCloseable {
    /**
     * Does it once more.
     *
     * @return how many operations that was
     */
    int once(long count) throws IOException;

    @Override
    default void close() throws IOException {}
  }

  /** Makes the work of a writer. */
  @FunctionalInterface
  public interface Writers {
    Work writer(int number) throws IOException;
  }

  /**
   * What was measured.
   *
   * @param p50Micros the middle of the times from sending to having the answer
   * @param p99Micros the time that one in a hundred takes longer than
   */
  public record Result(long operations, double perSecond, double p50Micros, double p99Micros) {}

  /** The times of one writer, in nanoseconds; grows by doubling. */
  private static final class Times {
    private long[] nanos = new long[4096];
    private int size;

    void add(long time) {
      if (size == nanos.length) {
        nanos = Arrays.copyOf(nanos, size * 2);
      }
      nanos[size++] = time;
    }

    long[] all() {
      return Arrays.copyOf(nanos, size);
    }
  }

  /**
   * Runs so many writers for so long.
   *
   * @throws IOException what the first writer that failed has met
   */
  public static Result run(int writers, Duration time, Writers made)
      throws IOException, InterruptedException {
    return run(Thread.ofVirtual(), writers, time, made);
  }

  /** The same on threads of the platform, for work that blocks in native code. */
  public static Result onPlatformThreads(int writers, Duration time, Writers made)
      throws IOException, InterruptedException {
    return run(Thread.ofPlatform(), writers, time, made);
  }

  private static Result run(Thread.Builder threads, int writers, Duration time, Writers made)
      throws IOException, InterruptedException {
    LongAdder operations = new LongAdder();
    AtomicBoolean stop = new AtomicBoolean();
    ConcurrentLinkedQueue<long[]> times = new ConcurrentLinkedQueue<>();
    ConcurrentLinkedQueue<IOException> failures = new ConcurrentLinkedQueue<>();
    long start = System.nanoTime();
    List<Thread> running = new ArrayList<>();
    for (int w = 0; w < writers; w++) {
      int number = w;
      running.add(
          threads.start(() -> {
            Times mine = new Times();
            try (Work work = made.writer(number)) {
              for (long count = 0; count == 0 || !stop.get(); count++) {
                long from = System.nanoTime();
                operations.add(work.once(count));
                mine.add(System.nanoTime() - from);
              }
            } catch (IOException e) {
              failures.add(e);
            }
            times.add(mine.all());
          }));
    }
    Thread.sleep(time);
    stop.set(true);
    for (Thread thread : running) {
      thread.join();
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    IOException failure = failures.peek();
    if (failure != null) {
      throw failure;
    }
    long[] sorted = times.stream().flatMapToLong(Arrays::stream).sorted().toArray();
    return new Result(
        operations.sum(),
        operations.sum() / seconds,
        sorted[sorted.length / 2] / 1e3,
        sorted[(int) (sorted.length * 0.99)] / 1e3);
  }
}
