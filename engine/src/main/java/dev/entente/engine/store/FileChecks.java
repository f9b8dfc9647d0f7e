// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.rocksdb.Options;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileReader;

/**
 * Compares single files of a store with their checksums, whether or not the store is open. Files of
 * tables never change, so one that several directories share is read once by one object.
 */
public final class FileChecks {
  private static final Pattern TABLE = Pattern.compile("\\d+\\.sst");
  private static final Pattern LOG = Pattern.compile("\\d+\\.log|MANIFEST-\\d+");

  private final Map<Object, Optional<String>> checked = new HashMap<>();

  static boolean isTable(Path file) {
    return TABLE.matcher(String.valueOf(file.getFileName())).matches();
  }

  static boolean isLog(Path file) {
    return LOG.matcher(String.valueOf(file.getFileName())).matches();
  }

  /**
   * Checks the files of a directory that nothing writes to, such as a checkpoint.
   *
   * @param pace hears after each file how many bytes it had, and may wait
   * @return what is wrong with each damaged file
   */
  public List<DamagedFile> directory(Path directory, LongConsumer pace) throws IOException {
    List<DamagedFile> damaged = new ArrayList<>();
    List<Path> files;
    try (Stream<Path> all = Files.list(directory)) {
      files = all.filter(file -> isTable(file) || isLog(file)).sorted().toList();
    }
    for (Path file : files) {
      Object key = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
      boolean known = key != null && !isLog(file) && checked.containsKey(key);
      Optional<String> why = known ? checked.getOrDefault(key, Optional.empty()) : damage(file);
      why.ifPresent(what ->
          damaged.add(
              new DamagedFile(String.valueOf(file.getFileName()), Optional.empty(), what, false)));
      if (!known) {
        if (key != null) {
          checked.put(key, why);
        }
        pace.accept(Files.size(file));
      }
    }
    return damaged;
  }

  /** What is wrong with a file of a table, a log or a manifest; empty where it is whole. */
  static Optional<String> damage(Path file) throws IOException {
    if (isLog(file)) {
      return LogTail.read(file)
          .map(tail -> "whole up to byte %,d of %,d".formatted(tail.whole(), tail.size()));
    }
    try (Options options = new Options();
        SstFileReader reader = new SstFileReader(options)) {
      reader.open(file.toString());
      reader.verifyChecksum();
      return Optional.empty();
    } catch (RocksDBException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }
}
