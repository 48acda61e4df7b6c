#include "textflag.h"

// func pause(n uint32)
TEXT ·pause(SB), NOSPLIT, $0-4
	MOVL n+0(FP), AX
	TESTL AX, AX
	JZ   done
again:
	PAUSE
	SUBL $1, AX
	JNZ  again
done:
	RET

// func prefetchRead(p unsafe.Pointer)
TEXT ·prefetchRead(SB), NOSPLIT, $0-4
	MOVL p+0(FP), AX
	PREFETCHT0 (AX)
	RET

// func prefetchWrite(p unsafe.Pointer)
TEXT ·prefetchWrite(SB), NOSPLIT, $0-4
	MOVL p+0(FP), AX
	PREFETCHT0 (AX)
	RET

// func prefetchWriteRange(p unsafe.Pointer, n uintptr)
TEXT ·prefetchWriteRange(SB), NOSPLIT, $0-8
	MOVL p+0(FP), AX
	MOVL n+4(FP), CX
	ADDL AX, CX
	ANDL $~63, AX
	JMP  check
again:
	PREFETCHT0 (AX)
	ADDL $64, AX
check:
	CMPL AX, CX
	JCS  again
	RET
