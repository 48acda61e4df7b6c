#include "textflag.h"

// func pause(n uint32)
TEXT ·pause(SB), NOSPLIT, $0-4
	MOVWU n+0(FP), R0
	CBZ   R0, done
again:
	ISB   $15
	SUBW  $1, R0
	CBNZW R0, again
done:
	RET

// func prefetchRead(p unsafe.Pointer)
TEXT ·prefetchRead(SB), NOSPLIT, $0-8
	MOVD p+0(FP), R0
	PRFM (R0), PLDL1KEEP
	RET

// func prefetchWrite(p unsafe.Pointer)
TEXT ·prefetchWrite(SB), NOSPLIT, $0-8
	MOVD p+0(FP), R0
	PRFM (R0), PSTL1KEEP
	RET

// func prefetchWriteRange(p unsafe.Pointer, n uintptr)
TEXT ·prefetchWriteRange(SB), NOSPLIT, $0-16
	MOVD p+0(FP), R0
	MOVD n+8(FP), R1
	ADD  R0, R1, R1
	AND  $~63, R0, R0 // a line twice on cores with lines of 128 bytes: harmless
	B    check
again:
	PRFM (R0), PSTL1KEEP
	ADD  $64, R0, R0
check:
	CMP R1, R0
	BLO again
	RET
