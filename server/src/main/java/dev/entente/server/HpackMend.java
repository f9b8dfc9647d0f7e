// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static java.lang.constant.ConstantDescs.CD_List;
import static java.lang.constant.ConstantDescs.CD_String;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.MTD_void;

import io.helidon.http.HeaderName;
import io.helidon.http.http2.Http2ErrorCode;
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
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;

/**
 * Mends how the web framework keeps the table of HTTP/2 headers. For an entry that is larger than
 * the table its release 4.5.0 removes entries until there is room, also once there are none: sixty
 * bytes of a stranger take a processor for good. Such an entry empties the table and is not an
 * error (RFC 7541, section 4.4); the mended class does that, and is loaded in place of the other.
 */
final class HpackMend {
  private static final Logger LOG = System.getLogger(HpackMend.class.getName());
  private static final ClassDesc HEADER_NAME = ClassDesc.of(HeaderName.class.getName());
  private static final MethodTypeDesc TEXT = MethodTypeDesc.of(CD_String);
  private static final MethodTypeDesc LENGTH = MethodTypeDesc.of(CD_int);
  private static final MethodTypeDesc ADD = MethodTypeDesc.of(CD_int, HEADER_NAME, CD_String);

  /** What an entry takes beside its letters. */
  private static final int ENTRY_BYTES = 32;

  private HpackMend() {}

  /** Does so, where the table has not been used in this process yet. */
  static void apply() {
    Class<?> neighbour = Http2ErrorCode.class;
    try (InputStream in = neighbour.getResourceAsStream("Http2Headers$DynamicTable.class")) {
      if (in == null) {
        throw new IOException("there is no such class");
      }
      MethodHandles.privateLookupIn(neighbour, MethodHandles.lookup())
          .defineClass(mended(in.readAllBytes()));
    } catch (IOException | IllegalAccessException | LinkageError e) {
      LOG.log(
          Level.ERROR,
          "the table of HTTP/2 headers could not be mended: let only those reach this node who may",
          e);
    }
  }

  private static byte[] mended(byte[] table) {
    ClassModel read = ClassFile.of().parse(table);
    ClassDesc self = read.thisClass().asSymbol();
    return ClassFile.of()
        .transformClass(
            read,
            ClassTransform.transformingMethodBodies(
                method ->
                    method.methodName().equalsString("add")
                        && method.methodTypeSymbol().equals(ADD),
                new CodeTransform() {
                  @Override
                  public void atStart(CodeBuilder code) {
                    returnIfTooLarge(code, self);
                  }

                  @Override
                  public void accept(CodeBuilder code, CodeElement was) {
                    code.with(was);
                  }
                }));
  }

  /** {@code if (name + value + 32 > maxTableSize) { clear; return 0; }}. */
  private static void returnIfTooLarge(CodeBuilder add, ClassDesc self) {
    add.aload(1)
        .invokeinterface(HEADER_NAME, "lowerCase", TEXT)
        .invokevirtual(CD_String, "length", LENGTH)
        .aload(2)
        .invokevirtual(CD_String, "length", LENGTH)
        .iadd()
        .bipush(ENTRY_BYTES)
        .iadd()
        .i2l()
        .aload(0)
        .getfield(self, "maxTableSize", CD_long)
        .lcmp()
        .ifThen(
            Opcode.IFGT,
            tooLarge ->
                tooLarge
                    .aload(0)
                    .getfield(self, "headers", CD_List)
                    .invokeinterface(CD_List, "clear", MTD_void)
                    .aload(0)
                    .iconst_0()
                    .putfield(self, "currentTableSize", CD_int)
                    .iconst_0()
                    .ireturn());
  }
}
