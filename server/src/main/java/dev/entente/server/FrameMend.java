// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static java.lang.constant.ConstantDescs.CD_Object;

import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.ConvertInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.util.Set;

/**
 * Bounds the number of HTTP/2 frames, of which release 4.5.0 of the web framework counts the bytes
 * alone: endless empty CONTINUATION frames filled the memory, and PING, SETTINGS and the like were
 * answered without end. A CONTINUATION frame takes {@value #CONTINUATION_BYTES} bytes of what
 * headers may take beside its own, and frames that carry no request are counted by {@link
 * FrameLimit}. Empty DATA frames and resets have settings of the framework's own.
 */
final class FrameMend {
  private static final Logger LOG = System.getLogger(FrameMend.class.getName());
  private static final ClassDesc LIMIT = ClassDesc.of(FrameLimit.class.getName());
  private static final MethodTypeDesc COUNT = MethodTypeDesc.of(ConstantDescs.CD_void, CD_Object);

  private static final Set<String> COUNTED =
      Set.of(
          "pingFrame",
          "doSettings",
          "readWindowUpdateFrame",
          "doPriority",
          "unknownFrame",
          "rstStream",
          "doContinuation");

  private static final int CONTINUATION_BYTES = 64;

  private FrameMend() {}

  /** Does so, where no HTTP/2 connection has been opened in this process yet. */
  static void apply() {
    try {
      define("Http2Connection$StreamContext", FrameMend::ofStream);
      define("Http2Connection", FrameMend::ofConnection);
    } catch (IOException | ReflectiveOperationException | LinkageError | IllegalStateException e) {
      LOG.log(
          Level.ERROR,
          "HTTP/2 frames could not be bounded in number; restrict network access to this node",
          e);
    }
  }

  private interface Change {
    byte[] of(byte[] read);
  }

  private static void define(String name, Change change)
      throws IOException, ReflectiveOperationException {
    Class<?> neighbour = Class.forName("io.helidon.webserver.http2.Http2Config");
    try (InputStream in = neighbour.getResourceAsStream(name + ".class")) {
      if (in == null) {
        throw new IOException("there is no class " + name);
      }
      MethodHandles.privateLookupIn(neighbour, MethodHandles.lookup())
          .defineClass(change.of(in.readAllBytes()));
    }
  }

  private static byte[] ofConnection(byte[] read) {
    ClassModel connection = ClassFile.of().parse(read);
    require(connection, COUNTED);
    byte[] counting =
        ClassFile.of()
            .transformClass(
                connection,
                ClassTransform.transformingMethodBodies(
                    method -> COUNTED.contains(method.methodName().stringValue()),
                    CodeTransform.ofStateful(Counting::new)));
    return ClassFile.of()
        .transformClass(
            ClassFile.of().parse(counting),
            ClassTransform.transformingMethodBodies(
                method ->
                    method.methodName().equalsString("discardContinuationForLocallyResetStream"),
                FrameMend::withCostOfDiscarded));
  }

  private static byte[] ofStream(byte[] read) {
    ClassModel stream = ClassFile.of().parse(read);
    require(stream, Set.of("addContinuation"));
    return ClassFile.of()
        .transformClass(
            stream,
            ClassTransform.transformingMethodBodies(
                method -> method.methodName().equalsString("addContinuation"),
                FrameMend::withCostOfAdded));
  }

  private static void require(ClassModel read, Set<String> methods) {
    for (String name : methods) {
      if (read.methods().stream().noneMatch(method -> method.methodName().equalsString(name))) {
        throw new IllegalStateException("there is no method " + name);
      }
    }
  }

  /** {@code FrameLimit.count(this)} before all else. */
  private static final class Counting implements CodeTransform {
    @Override
    public void atStart(CodeBuilder code) {
      code.aload(0).invokestatic(LIMIT, "count", COUNT);
    }

    @Override
    public void accept(CodeBuilder code, CodeElement was) {
      code.with(was);
    }
  }

  /** {@code addAndValidateHeaderListSize(length + 64)}. */
  private static void withCostOfAdded(CodeBuilder code, CodeElement was) {
    if (was instanceof InvokeInstruction call
        && call.name().equalsString("addAndValidateHeaderListSize")) {
      code.bipush(CONTINUATION_BYTES).iadd();
    }
    code.with(was);
  }

  /** {@code size += (long) length + 64}. */
  private static void withCostOfDiscarded(CodeBuilder code, CodeElement was) {
    code.with(was);
    if (was instanceof ConvertInstruction convert && convert.opcode() == Opcode.I2L) {
      code.loadConstant((long) CONTINUATION_BYTES).ladd();
    }
  }
}
